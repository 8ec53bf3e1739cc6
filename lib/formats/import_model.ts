import { checkOptions, checkString, quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { Module } from '../layers/module.js';
import { type FileKind, fileKind } from './file_kind.js';
import './models.js'; // makes the layers known that models are built of

export interface ImportOptions {
  /** For a `.weights.h5` file, which holds none: the file with the architecture, `.keras`, `.h5` or the JSON of Keras's `model.to_json()`. */
  config?: string;
}

// Each format's importer, loaded when a file of its kind is met.
const importers: Partial<Record<FileKind, (path: string, options: ImportOptions) => Promise<Module>>> = {
  keras: async (path, { config }) => (await import('./keras/import_keras.js')).importKeras(path, config),
  onnx: async (path) => (await import('./onnx/index.js')).importOnnx(path),
};

/**
 * Makes a module of a model file of another framework. It runs, trains, and is saved by `saveModel`.
 *
 * Keras (`.keras`, `.h5`): a `KerasModel`. Reading them needs the package h5wasm.
 *
 * A PyTorch state_dict holds numbers and no architecture: build the module and load it by `readStateDict` and `loadStateDict`.
 *
 * @returns in `eval()`; `summary.notes` says what of the original it leaves out
 * @throws TypeError, RangeError; CudnnGruError `ERR_FILE`, `ERR_FORMAT`, `ERR_OUT_OF_MEMORY`; `ERR_UNSUPPORTED` naming what is not supported
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<Module> {
  checkOptions(options, 'options', ['config']);
  if (options.config !== undefined) checkString(options.config, 'config');
  const kind = fileKind(path);
  const importFile = importers[kind];
  if (!importFile) {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `${quote(path)}: ${kind} files hold numbers and no architecture; build the module, then loadStateDict(await readStateDict(path))`,
    );
  }
  return (await importFile(path, options)).eval();
}
