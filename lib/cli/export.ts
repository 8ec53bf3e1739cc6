import { checkOneOf } from '../arguments.js';
import { type Command, exitCodes } from './command.js';
import { UsageError } from './options.js';
import { printNote } from './output.js';

export const exportCommand: Command = {
  usage: 'export <model>',
  description: 'Write a model for another framework',
  options: [
    ['--to <framework>', 'onnx, pytorch (.safetensors, for load_state_dict) or keras (.weights.h5, for load_weights)'],
    ['--out <file>', "Write to this file (default: the model's name with the framework's extension)"],
    ['--quiet', 'No notes on stderr'],
  ],
  examples: ['export model.safetensors --to onnx', 'export model.safetensors --to pytorch'],

  async run([path], options) {
    const to = options.requiredText('to');
    const [{ exportFormats }, { loadModel }] = await Promise.all([
      import('../formats/export_model.js'),
      import('../formats/models.js'),
      // The models of the tasks make themselves known to loadModel.
      import('../tasks/index.js'),
    ]);
    const format = exportFormats[framework(to, Object.keys(exportFormats))];
    const out = options.text('out') ?? `${(path as string).replace(/\.safetensors$/, '')}${format?.extension}`;
    await format?.write(out, await loadModel(path as string));
    printNote(options, `${to}: ${out}`);
    return exitCodes.success;
  },
};

function framework(to: string, known: readonly string[]): string {
  try {
    return checkOneOf(to, '--to', known);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
