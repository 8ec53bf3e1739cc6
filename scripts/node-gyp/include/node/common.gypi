# Stands in for Node's own common.gypi, so that `npm run build:gyp` downloads nothing: an addon that uses only
# Node-API needs none of Node's other headers and settings.
{
  'target_defaults': {
    'default_configuration': 'Release',
    'configurations': {
      'Debug': { 'cflags': ['-g', '-O0'] },
      'Release': { 'cflags': ['-O3'], 'defines': ['NDEBUG'] }
    },
    'cflags': ['-pthread']
  }
}
