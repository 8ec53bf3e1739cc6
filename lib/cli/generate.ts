import { type Command, exitCodes, resultOptions } from './command.js';
import { untilInterrupted } from './interrupt.js';
import { printJson } from './output.js';
import { asLanguageModel, readWritingOptions, writingOptions } from './tasks/generate.js';

export const generate: Command = {
  usage: 'generate <model>',
  description: 'Go on writing where a prompt ends, piece by piece',
  options: [
    ['--prompt <text>', 'What to go on from'],
    ...writingOptions,
    ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
    ...resultOptions,
  ],
  examples: ['generate model.safetensors --prompt "Call me" --length 300'],

  async run([path], options) {
    const prompt = options.requiredText('prompt');
    const threads = options.integer('threads', { min: 1, max: 1024 });
    const writing = readWritingOptions(options);
    const [{ loadModel }, { generateText }, { setThreads }] = await Promise.all([
      import('../formats/models.js'),
      import('../tasks/index.js'),
      import('../tensor/device.js'),
    ]);
    if (threads !== undefined) setThreads(threads);
    const model = await asLanguageModel({ path: path as string, model: await loadModel(path as string) });
    const json = options.flag('json');
    let text = '';
    const aborted = await untilInterrupted(async (signal) => {
      if (!json) process.stdout.write(prompt);
      for await (const piece of generateText(model, prompt, writing)) {
        if (signal.aborted) break;
        text += piece;
        if (!json) process.stdout.write(piece);
      }
      return signal.aborted;
    });
    if (json) printJson({ model: path, prompt, text });
    else process.stdout.write('\n');
    return aborted ? exitCodes.interrupted : exitCodes.success;
  },
};
