import { checkOptions, checkString, quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { StateDict } from '../layers/module.js';
import { FileSource, naming } from './byte_source.js';
import { fileKind } from './file_kind.js';
import { openSafetensors } from './safetensors.js';

export interface ReadStateDictOptions {
  /** Which entry of a checkpoint, a dictionary saved by `torch.save`, is the state_dict. Default: the dictionary is one itself. */
  key?: string;
}

/**
 * Reads a state_dict, the numbers of a model by name, for `loadStateDict`: from `.safetensors`, or from `.pt`, `.pth`, `.ckpt` and
 * `.bin` as `torch.save(model.state_dict(), path)` writes them, in the zip format or the one before it. Files are read by ranges, and nothing
 * in them is run: a pickle that asks for anything but tensors is refused.
 *
 * Floating-point types become float32, integers and booleans int32. A finite float64 beyond float32 and an integer beyond int32 are
 * errors.
 *
 *     await model.loadStateDict(await readStateDict('classifier.pt'));
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_FILE`, `ERR_FORMAT`, `ERR_OUT_OF_MEMORY`; `ERR_UNSUPPORTED` naming what the file holds instead
 */
export async function readStateDict(path: string, options: ReadStateDictOptions = {}): Promise<StateDict> {
  checkOptions(options, 'options', ['key']);
  const kind = fileKind(path);
  const key = options.key === undefined ? undefined : checkString(options.key, 'key');
  if (kind === 'safetensors') return readSafetensors(path);
  if (kind !== 'pytorch') {
    throw new CudnnGruError('ERR_UNSUPPORTED', `${quote(path)} is no state_dict: see importModel and readNpz`);
  }
  const source = await FileSource.open(path);
  try {
    const { readPytorchStateDict } = await import('./pytorch/pytorch_file.js');
    return await naming(path, () => readPytorchStateDict(source, key));
  } finally {
    await source.close();
  }
}

async function readSafetensors(path: string): Promise<StateDict> {
  const file = await openSafetensors(path);
  try {
    const state: [string, StateDict[string]][] = [];
    for (const [name, { shape }] of file.entries) state.push([name, { shape, data: await file.read(name) }]);
    return Object.fromEntries(state);
  } finally {
    await file.close();
  }
}
