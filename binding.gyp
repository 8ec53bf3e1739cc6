# The CPU-only build, for machines with node-gyp but no CMake: `npm run build:gyp`, or plain `npx node-gyp rebuild`.
# CMakeLists.txt is the main build; both read native/sources.txt. This file is not part of the published package:
# npm would compile it on every install.
{
  'target_defaults': {
    'include_dirs': ['native'],
    'cflags': ['-Wall', '-Wextra', '-fno-math-errno', '-ffp-contract=off', '-fvisibility=hidden',
               '-ffunction-sections', '-fdata-sections'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti'],
    'cflags_cc': ['-std=c++17', '-fexceptions', '-fvisibility-inlines-hidden'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'GCC_OPTIMIZATION_LEVEL': '3',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
      'WARNING_CFLAGS': ['-Wall', '-Wextra'],
      'OTHER_CFLAGS': ['-fno-math-errno', '-ffp-contract=off']
    },
    'msvs_settings': {
      'VCCLCompilerTool': { 'ExceptionHandling': 1, 'AdditionalOptions': ['/std:c++17', '/fp:precise'] }
    }
  },
  'targets': [
    {
      'target_name': 'cudnn_gru',
      'sources': ['<!@(node scripts/native-sources.mjs common without_cuda)'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'include_dirs': ['<!(node -p "require(\'node-api-headers\').include_dir")',
                       '<!(node -p "require(\'path\').resolve(require(\'node-addon-api\').include_dir)")'],
      'dependencies': ['simd_baseline'],
      'conditions': [
        ['target_arch=="x64"', { 'dependencies': ['simd_avx2', 'simd_avx512'] }],
        ['OS=="linux"', {
          'ldflags': ['-pthread', '-static-libstdc++', '-static-libgcc', '-Wl,--gc-sections',
                      '-Wl,--version-script=<(module_root_dir)/native/exports.map'],
          'libraries': ['-ldl']
        }]
      ]
    },
    # One kernel source, once per instruction set.
    {
      'target_name': 'simd_baseline',
      'type': 'static_library',
      'sources': ['<!@(node scripts/native-sources.mjs simd)'],
      'defines': ['CUDNN_GRU_SIMD=baseline']
    }
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'simd_avx2',
          'type': 'static_library',
          'sources': ['<!@(node scripts/native-sources.mjs simd)'],
          'defines': ['CUDNN_GRU_SIMD=avx2'],
          'cflags': ['-mavx2', '-mfma'],
          'xcode_settings': { 'OTHER_CFLAGS': ['-mavx2', '-mfma'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'EnableEnhancedInstructionSet': '5' } }
        },
        {
          'target_name': 'simd_avx512',
          'type': 'static_library',
          'sources': ['<!@(node scripts/native-sources.mjs simd)'],
          'defines': ['CUDNN_GRU_SIMD=avx512'],
          # GCC 12 warns about its own AVX-512 header (_mm512_undefined_ps).
          'cflags': ['-mavx2', '-mfma', '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl',
                     '-Wno-uninitialized', '-Wno-maybe-uninitialized'],
          'xcode_settings': {
            'OTHER_CFLAGS': ['-mavx2', '-mfma', '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl']
          },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['/arch:AVX512'] } }
        }
      ]
    }]
  ]
}
