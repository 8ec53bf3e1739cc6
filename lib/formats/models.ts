import { checkFunction, checkOptions, checkString, hint, wrongKind } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import {
  type Architecture,
  Dropout,
  Embedding,
  GRU,
  GRUCell,
  type JsonValue,
  LayerNorm,
  Linear,
  Module,
  Sequential,
} from '../layers/index.js';
import { withParameterBudget } from '../layers/parameters.js';
import { type DeviceName, withDefaultDevice } from '../tensor/device.js';
import { elementCount } from '../tensor/tensor.js';
import { openSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.js';

// A model file is a safetensors file: the parameters under their names, and in the metadata, as JSON,
//   cudnn-gru     the version of this layout
//   architecture  type and options of the module, from which it is made again
//   preprocessing, summary  the module's own, where it has them
const layoutVersion = '1';

// biome-ignore lint/suspicious/noExplicitAny: each class checks its own options.
type Build = (options: any) => Module;

const known = new Map<string, Build>([
  ['GRU', (options) => new GRU(options)],
  ['GRUCell', (options) => new GRUCell(options)],
  ['Linear', (options) => new Linear(options)],
  ['Embedding', (options) => new Embedding(options)],
  ['LayerNorm', (options) => new LayerNorm(options)],
  ['Dropout', (options) => new Dropout(options.probability)],
  ['Sequential', (options) => new Sequential(...options.map((inner: Architecture) => build(inner)))],
]);

/**
 * Makes a class of one's own known to `loadModel`. Only registered classes are ever made from a file.
 *
 * @param type as its `architecture()` says
 * @param make from the options of its `architecture()`
 * @throws TypeError, RangeError
 */
export function registerModule(type: string, make: (options: JsonValue) => Module): void {
  known.set(checkString(type, 'type'), checkFunction(make, 'make'));
}

function build(architecture: Architecture, path = 'the file'): Module {
  const make = known.get(architecture?.type);
  if (!make) {
    const type = String(architecture?.type);
    throw new CudnnGruError(
      'ERR_FORMAT',
      `${path}: unknown kind of module ${JSON.stringify(type)}${hint(type, known.keys())}; a class of your own is made known by registerModule`,
    );
  }
  return make(architecture.options);
}

/**
 * Writes a model as one safetensors file: parameters, architecture, preprocessing and summary. The file appears whole or not at all.
 *
 * @throws TypeError; CudnnGruError `ERR_UNSUPPORTED` for a module without `architecture()`, `ERR_FILE`
 */
export async function saveModel(path: string, model: Module): Promise<void> {
  checkString(path, 'path');
  if (!(model instanceof Module)) throw wrongKind('model', 'a Module', model);
  await writeSafetensors(path, await model.stateDict(), modelMetadata(model));
}

/** @internal */
export function modelMetadata(model: Module): Record<string, string> {
  const metadata: Record<string, string> = {
    'cudnn-gru': layoutVersion,
    architecture: JSON.stringify(model.architecture()),
  };
  if (model.preprocessing !== null) metadata.preprocessing = JSON.stringify(model.preprocessing);
  if (model.summary !== null) metadata.summary = JSON.stringify(model.summary);
  return metadata;
}

/**
 * Reads a model that `saveModel` wrote. It is ready to predict: `eval()` has been called.
 *
 * @typeParam M the class that the file holds, as the caller knows; it is not checked
 *
 * @param options device: where the parameters go, default 'cpu'
 * @throws CudnnGruError `ERR_FILE`, `ERR_FORMAT`, `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export async function loadModel<M extends Module = Module>(
  path: string,
  options: { device?: DeviceName | 'auto' } = {},
): Promise<M> {
  checkOptions(options, 'options', ['device']);
  checkString(path, 'path');
  const file = await openSafetensors(path);
  try {
    const model = withDefaultDevice(options.device ?? 'cpu', () => modelFrom(file));
    const record: Record<string, { shape: readonly number[]; data: Float32Array | Int32Array }> = {};
    for (const [name, { shape }] of file.entries) record[name] = { shape, data: await file.read(name) };
    await model.loadStateDict(record);
    return model.eval() as M;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new CudnnGruError('ERR_FORMAT', `${path}: ${error.message}`, { cause: error });
    }
    throw error;
  } finally {
    await file.close();
  }
}

function modelFrom(file: SafetensorsFile): Module {
  const { metadata, path } = file;
  if (metadata['cudnn-gru'] !== layoutVersion || metadata.architecture === undefined) {
    const found = metadata['cudnn-gru'];
    const reason =
      found === undefined ? 'it was not written by saveModel' : `its layout is version ${found}, not ${layoutVersion}`;
    throw new CudnnGruError(
      'ERR_FORMAT',
      `${path} is not a model file: ${reason}; loadSafetensors reads plain tensors`,
    );
  }
  let elements = 0;
  for (const { shape } of file.entries.values()) elements += elementCount(shape);
  const architecture = parse(metadata.architecture, path) as unknown as Architecture;
  const model = withParameterBudget(elements, () => build(architecture, path));
  if (metadata.preprocessing !== undefined) model.preprocessing = parse(metadata.preprocessing, path);
  if (metadata.summary !== undefined) model.summary = parse(metadata.summary, path);
  return model;
}

function parse(text: string, path: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CudnnGruError('ERR_FORMAT', `${path}: the metadata is not JSON`, { cause });
  }
}
