import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { type Signature, signatureOf } from '../../inference/signature.js';
import { Embedding, GRU, GRUCell, LayerNorm, Linear, type Module, QuantizedGRU } from '../../layers/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { KerasModel, type KerasModelLayer, type KerasModelOptions } from '../keras/keras_model.js';
import type { ExportOnnxOptions, OnnxInputSpec } from './index.js';
import { OnnxModel } from './onnx_model.js';

/** What a model is run on when it is exported. */
export interface ModelInputs {
  readonly inputs: Readonly<Record<string, OnnxInputSpec>>;
  readonly forward: NonNullable<ExportOnnxOptions['forward']>;
}

/**
 * What a model reads: as its `signature()` says, or its first layer wants it.
 * @throws CudnnGruError `ERR_UNSUPPORTED` where neither says
 */
export function defaultInputs(model: Module): ModelInputs {
  if (model instanceof OnnxModel) return graphInputs(model);
  if (model instanceof KerasModel) return kerasInputs(model);
  if ('signature' in model) return signatureInputs(signatureOf(model));
  const input = firstInput(model);
  if (input) return { inputs: { input }, forward: (given) => model.forward(...(Object.values(given) as never[])) };
  throw new CudnnGruError(
    'ERR_UNSUPPORTED',
    `a ${model.constructor.name} does not say what it reads; say it: exportOnnx(path, model, { inputs: { x: { shape: ['batch', 'time', 6] } } })`,
  );
}

function firstInput(module: Module): OnnxInputSpec | undefined {
  if (module instanceof GRU || module instanceof QuantizedGRU) {
    return { shape: [...(module.timeMajor ? ['time', 'batch'] : ['batch', 'time']), module.inputSize] };
  }
  if (module instanceof Embedding) return { shape: ['batch', 'time'], type: 'int32' };
  if (module instanceof Linear || module instanceof GRUCell) return { shape: ['batch', module.inputSize] };
  if (module instanceof LayerNorm) return { shape: ['batch', module.size] };
  for (const [, child] of module.children()) {
    const found = firstInput(child);
    if (found) return found;
  }
  return undefined;
}

function signatureInputs({ inputs, outputs, takesLengths, run }: Signature): ModelInputs {
  const specs: [string, OnnxInputSpec][] = inputs.map(({ name, dtype, shape }) => {
    // A model that was trained on windows of one length runs on others as well.
    const open = shape.map((size, axis) => (axis === 1 && shape.length === 3 ? 'time' : size));
    return [name, { shape: open, type: dtype }];
  });
  if (takesLengths) specs.push(['lengths', { shape: ['batch'], type: 'lengths' }]);
  return {
    inputs: Object.fromEntries(specs),
    forward: (given) => {
      const tensors = inputs.map(({ name }) => given[name] as Tensor);
      const results = run(tensors, takesLengths ? given.lengths : null);
      return Object.fromEntries(outputs.map(({ name }, index) => [name, results[index]]));
    },
  };
}

function graphInputs(model: OnnxModel): ModelInputs {
  const specs = model.graph.inputs.map(({ name, type, shape }) => {
    if (!shape) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `the input ${quote(name)} has no shape; give options.inputs`);
    }
    const integers = shape.length === 1 ? 'lengths' : 'int32';
    return [name, { shape, type: type === 'float' ? 'float32' : integers }] as const;
  });
  return { inputs: Object.fromEntries(specs), forward: (given) => model.run(given) };
}

function kerasInputs(model: KerasModel): ModelInputs {
  const { layers } = model.architecture().options as unknown as KerasModelOptions;
  const modules = new Map(model.children());
  const masked = layers.find(({ name }) => (modules.get(name) as { maskZero?: boolean }).maskZero);
  if (masked) {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      `layer ${quote(masked.name)} has mask_zero: a mask that is made of the ids, and may have holes, has no ONNX form`,
    );
  }
  const inputName = (name: string) => (model.inputs.length === 1 ? 'input' : name);
  const specs = model.inputs.map((name) => {
    const spec = kerasInput(name, layers, modules);
    if (spec) return [inputName(name), spec] as const;
    throw new CudnnGruError('ERR_UNSUPPORTED', `no layer says what the input ${quote(name)} is; give options.inputs`);
  });
  return {
    inputs: Object.fromEntries(specs),
    forward: (given) => {
      const results = model.run(model.inputs.map((name) => given[inputName(name)] as Tensor));
      if (results.length === 1) return results[0];
      return Object.fromEntries(results.map((result, index) => [`output_${index}`, result]));
    },
  };
}

/** What an input is: as the first layer behind it wants it, or a state of the GRU that starts from it. */
function kerasInput(
  input: string,
  layers: readonly KerasModelLayer[],
  modules: ReadonlyMap<string, Module>,
): OnnxInputSpec | undefined {
  const behind = new Set([input]);
  for (const { name, calls } of layers) {
    const module = modules.get(name) as Module;
    if (calls.some(({ initialStates }) => initialStates.some(([source]) => source === input))) {
      const [gru] = [...module.children()].flatMap(([, child]) => (child instanceof GRU ? [child] : []));
      if (gru) return { shape: ['batch', gru.hiddenSize] };
    }
    if (!calls.some((call) => behind.has(call.input[0]))) continue;
    const found = firstInput(module);
    if (found) return found;
    behind.add(name);
  }
  return undefined;
}
