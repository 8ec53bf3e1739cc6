import { checkOneOf, checkOptions, checkString, wrongKind } from '../arguments.js';
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
  QuantizedGRU,
  Sequential,
} from '../layers/index.js';
import { withParameterBudget } from '../layers/parameters.js';
import { buildModule, registerLayers } from '../layers/registry.js';
import { VariationalDropout } from '../layers/variational_dropout.js';
import { type Precision, precisions, valuesPerWord } from '../ops/gru_quantized.js';
import { type DeviceName, withDefaultDevice } from '../tensor/device.js';
import { elementCount } from '../tensor/tensor.js';
import { jsonProblem } from './json_limits.js';
import { KerasGRU } from './keras/keras_gru.js';
import { KerasActivation, KerasDense, KerasDropout, KerasEmbedding, KerasLayerNorm } from './keras/keras_layers.js';
import { KerasModel } from './keras/keras_model.js';
import { OnnxModel } from './onnx/onnx_model.js';
import { openSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.js';
import type { TensorEntry } from './safetensors_header.js';

export { registerModule } from '../layers/registry.js';

// A model file is a safetensors file: the parameters under their names, and in the metadata, as JSON,
//   cudnn-gru     the version of this layout
//   architecture  type and options of the module, from which it is made again
//   preprocessing, summary  the module's own, where it has them
//   quantization  of a quantized model: what its GRU layers became; their weights are int32 words of int8 or bfloat16 values
const layoutVersion = '1';

registerLayers({
  GRU: (options) => new GRU(options),
  GRUCell: (options) => new GRUCell(options),
  QuantizedGRU: (options) => new QuantizedGRU(options),
  Linear: (options) => new Linear(options),
  Embedding: (options) => new Embedding(options),
  LayerNorm: (options) => new LayerNorm(options),
  Dropout: (options) => new Dropout(options.probability),
  VariationalDropout: (options) => new VariationalDropout(options.probability),
  OnnxModel: (options) => new OnnxModel(options),
  KerasModel: (options) => new KerasModel(options),
  KerasActivation: (options) => new KerasActivation(options),
  KerasDense: (options) => new KerasDense(options),
  KerasDropout: (options) => new KerasDropout(options),
  KerasEmbedding: (options) => new KerasEmbedding(options),
  KerasGRU: (options) => new KerasGRU(options),
  KerasLayerNorm: (options) => new KerasLayerNorm(options),
  Sequential: (options) => new Sequential(...options.map((inner: Architecture) => buildModule(inner))),
});

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
  if (model.quantization !== null) metadata.quantization = model.quantization;
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
    const shapeOf = (name: string) => (file.entries.get(name) as TensorEntry).shape;
    await model.loadStateDictFrom(file.entries.keys(), async (name) => ({
      shape: shapeOf(name),
      data: await file.read(name),
    }));
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
  const precision =
    metadata.quantization === undefined ? null : checkOneOf(metadata.quantization, 'quantization', precisions);
  // The layers are made in float32 first, with a parameter for each value of a word.
  const budget = elements * (precision ? valuesPerWord(precision) : 1);
  const built = withParameterBudget(budget, () => buildModule(architecture, path));
  const model = precision && built.quantization !== precision ? quantized(built, precision) : built;
  if (metadata.preprocessing !== undefined) model.preprocessing = parse(metadata.preprocessing, path);
  if (metadata.summary !== undefined) model.summary = parse(metadata.summary, path);
  return model;
}

function quantized(model: Module, precision: Precision): Module {
  try {
    return model.quantize(precision);
  } finally {
    model.dispose();
  }
}

function parse(text: string, path: string): JsonValue {
  const problem = jsonProblem(text);
  if (problem !== undefined) throw new CudnnGruError('ERR_FORMAT', `${path}: the metadata ${problem}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CudnnGruError('ERR_FORMAT', `${path}: the metadata is not JSON`, { cause });
  }
}
