import { type Command, exitCodes, resultOptions } from './command.js';
import { printTranslations, searchOptions } from './tasks/translate.js';

export const translate: Command = {
  usage: 'translate <model>',
  description: 'Translate a text',
  options: [
    ['--text <text>', 'What to translate'],
    ...searchOptions,
    ['--n-best <n>', 'Answers to the text, the best first (default: 1)'],
    ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
    ...resultOptions,
  ],
  examples: ['translate model.safetensors --text "a whale" --width 8 --n-best 3'],

  async run([path], options) {
    const text = options.requiredText('text');
    const threads = options.integer('threads', { min: 1, max: 1024 });
    const [{ loadModel }, , { setThreads }] = await Promise.all([
      import('../formats/models.js'),
      import('../tasks/index.js'),
      import('../tensor/device.js'),
    ]);
    if (threads !== undefined) setThreads(threads);
    await printTranslations({ path: path as string, model: await loadModel(path as string) }, [text], options);
    return exitCodes.success;
  },
};
