import { type Command, exitCodes, resultOptions } from './command.js';
import { UsageError } from './options.js';
import { printTranscripts, transcriptSearchOptions } from './tasks/transcribe.js';

export const transcribe: Command = {
  usage: 'transcribe <model> [...files]',
  description: 'What is said in WAV files',
  options: [
    ...transcriptSearchOptions,
    ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
    ...resultOptions,
  ],
  examples: ['transcribe speech.safetensors question.wav answer.wav --texts sentences.txt'],

  async run([path, ...files], options) {
    if (files.length === 0) throw new UsageError('no WAV file is given');
    const threads = options.integer('threads', { min: 1, max: 1024 });
    const [{ loadModel }, { readWav }, , { setThreads }] = await Promise.all([
      import('../formats/models.js'),
      import('../audio/index.js'),
      import('../tasks/index.js'),
      import('../tensor/device.js'),
    ]);
    if (threads !== undefined) setThreads(threads);
    const clips = [];
    for (const file of files) clips.push({ file: String(file), audio: await readWav(String(file)) });
    await printTranscripts({ path: path as string, model: await loadModel(path as string) }, clips, options);
    return exitCodes.success;
  },
};
