import { type Command, exitCodes } from './command.js';
import { printNote } from './output.js';

export const importCommand: Command = {
  usage: 'import <file>',
  description: 'Convert a file of another framework to .safetensors: a model, or a PyTorch state_dict',
  options: [
    ['--out <file>', 'Write to this .safetensors file'],
    ['--config <file>', 'The architecture of a Keras .weights.h5 file: .keras, .h5 or the JSON of to_json()'],
    ['--key <name>', 'Which entry of a PyTorch checkpoint is the state_dict'],
    ['--quiet', 'No notes on stderr'],
  ],
  examples: ['import classifier.pt --out classifier.safetensors'],

  async run([path], options) {
    const out = options.requiredText('out');
    const { fileKind } = await import('../formats/file_kind.js');
    const kind = fileKind(path as string);
    if (kind === 'pytorch' || kind === 'safetensors') {
      const key = options.text('key');
      const { readStateDict } = await import('../formats/state_dict.js');
      const { writeSafetensors } = await import('../formats/safetensors.js');
      const state = await readStateDict(path as string, key === undefined ? {} : { key });
      await writeSafetensors(out, state);
      printNote(
        options,
        `${Object.keys(state).length} tensors and no architecture, which a state_dict has none of: ${out}`,
      );
      return exitCodes.success;
    }
    const config = options.text('config');
    const { importModel } = await import('../formats/import_model.js');
    const { saveModel } = await import('../formats/models.js');
    const model = await importModel(path as string, config === undefined ? {} : { config });
    await saveModel(out, model);
    for (const note of notesOf(model.summary)) printNote(options, `note: ${note}`);
    printNote(options, `model: ${out}`);
    return exitCodes.success;
  },
};

function notesOf(summary: unknown): string[] {
  const notes = (summary as { notes?: unknown } | null)?.notes;
  return Array.isArray(notes) ? notes.map(String) : [];
}
