import { defaultInputs } from '../../../lib/formats/onnx/default_inputs.js';
import {
  Dropout,
  Embedding,
  type ExportOnnxOptions,
  GRU,
  GRUCell,
  type GRUOptions,
  LayerNorm,
  Linear,
  Module,
  type OnnxInput,
  ops,
  randn,
  Sequential,
  Tensor,
  tasks,
  tensor,
  zeros,
} from '../../../lib/index.js';

/** A model, inputs of sizes that the exporter does not try, and how it is exported. */
export interface ExportCase {
  readonly name: string;
  readonly model: Module;
  readonly inputs: Readonly<Record<string, OnnxInput>>;
  readonly options?: ExportOnnxOptions;
}

export function ids(...shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(
    Int32Array.from({ length: count }, (_, i) => (i * 5) % 7),
    shape,
  );
}

const forwardOf = (model: Module, { forward }: ExportOnnxOptions) =>
  forward ?? ((given: object) => model.forward(...(Object.values(given) as never[])));

/** What the model itself gives, by output name. */
export function outputsOf({ model, inputs, options }: ExportCase): Record<string, Tensor> {
  const outputs = (options ? forwardOf(model, options) : defaultInputs(model).forward)(inputs);
  return outputs instanceof Tensor ? { output: outputs } : (outputs as Record<string, Tensor>);
}

function gruCases(): ExportCase[] {
  const variants: Record<string, Partial<GRUOptions>> = {
    'one layer': {},
    'a bidirectional stack': { numLayers: 3, bidirectional: true, dropout: 0.5 },
    'reset before': { numLayers: 2, variant: 'resetBefore' },
    'no bias, time-major': { bias: false, timeMajor: true },
  };
  return Object.entries(variants).flatMap(([variant, options]) => {
    const model = new GRU({ inputSize: 3, hiddenSize: 4, ...options });
    const states = model.numLayers * (model.bidirectional ? 2 : 1);
    const x = model.timeMajor ? randn([8, 6, 3]) : randn([6, 8, 3]);
    const inputs = { x, h0: randn([states, 6, 4]), lengths: Int32Array.of(8, 1, 3, 2, 8, 5) };
    const shapes: ExportOnnxOptions['inputs'] = {
      x: { shape: [...(model.timeMajor ? ['time', 'batch'] : ['batch', 'time']), 3] },
      h0: { shape: [states, 'batch', 4] },
      lengths: { shape: ['batch'], type: 'lengths' },
    };
    const forward: ExportOnnxOptions['forward'] = ({ x, h0, lengths }) =>
      model.forward(x, { initialHidden: h0, lengths });
    return [
      { name: `GRU: ${variant}`, model, inputs: { input: x } },
      { name: `GRU: ${variant}, initial states and lengths`, model, inputs, options: { inputs: shapes, forward } },
    ];
  });
}

function layerCases(): ExportCase[] {
  const cell = new GRUCell({ inputSize: 3, hiddenSize: 4 });
  const cellInputs = { x: { shape: ['batch', 3] }, h: { shape: ['batch', 4] } };
  const sequential = new Sequential(
    new Embedding({ vocabularySize: 7, embeddingSize: 3 }),
    new GRU({ inputSize: 3, hiddenSize: 4, bidirectional: true }),
    new LayerNorm({ size: 8, epsilon: 1e-3 }),
    new Dropout(0.5),
    new Linear({ inputSize: 8, outputSize: 5, bias: false }),
    new Linear({ inputSize: 5, outputSize: 2 }),
  );
  return [
    { name: 'GRUCell', model: cell, inputs: { input: randn([5, 3]) } },
    {
      name: 'GRUCell with its state',
      model: cell,
      inputs: { x: randn([5, 3]), h: randn([5, 4]) },
      options: { inputs: cellInputs },
    },
    { name: 'Sequential of every layer', model: sequential, inputs: { input: ids(4, 9) } },
  ];
}

function taskCases(): ExportCase[] {
  const lengths = Int32Array.of(6, 1, 4, 2);
  const classifiers = (['last', 'mean', 'max'] as const).flatMap((pooling): ExportCase[] => {
    const signals = new tasks.Classifier({ classes: 3, inputSize: 2, numLayers: 2, dropout: 0.1, pooling });
    const words = new tasks.Classifier({ classes: 3, vocabularySize: 7, bidirectional: false, pooling });
    return [
      { name: `Classifier, ${pooling}`, model: signals, inputs: { input: randn([4, 6, 2]), lengths } },
      {
        name: `Classifier of words without lengths, ${pooling}`,
        model: words,
        inputs: { x: ids(4, 6) },
        options: { inputs: { x: { shape: ['batch', 'time'], type: 'int32' } } },
      },
    ];
  });
  const detectors = (['forecast', 'reconstruct'] as const).map((method) => ({
    name: `AnomalyDetector, ${method}`,
    model: new tasks.AnomalyDetector({ inputSize: 3, method, hiddenSize: 5, numLayers: 2 }),
    inputs: { input: randn([4, 6, 3]) },
  }));
  const forecaster = new tasks.Forecaster({ inputSize: 3, horizon: 5, dropout: 0.2 });
  const decoding = new tasks.Forecaster({ inputSize: 3, horizon: 2, outputSize: 3, decoderSize: 2 });
  return [
    { name: 'Forecaster', model: forecaster, inputs: { input: randn([4, 12, 3]) } },
    { name: 'Forecaster with a decoder', model: decoding, inputs: { input: randn([4, 17, 3]) } },
    ...classifiers,
    ...detectors,
  ];
}

/** What users write: any operations, with parameters of their own. */
class Everything extends Module {
  readonly gru = new GRU({ inputSize: 4, hiddenSize: 4 });
  readonly embedding = new Embedding({ vocabularySize: 7, embeddingSize: 4 });

  forward(x: Tensor, lengths: Int32Array): Record<string, Tensor> {
    const [batch, time] = x.shape as [number, number];
    const { output, hidden } = this.gru.forward(x, { initialHidden: zeros([1, batch, 4]), lengths });
    const shifted = ops.concat([zeros([batch, 1, 4]), output.slice(1, 0, time - 1)], 1);
    const scores = ops.matmul(output, output, { transposeB: true }).mul(0.5).softmax();
    return {
      merged: output
        .reshape(batch * time, 4)
        .reshape(batch, time, 2, 2)
        .reshape(-1, 2 * time, 2),
      arithmetic: shifted
        .add(output)
        .sub(x)
        .mul(tensor([0.5, 1, 2, 4]))
        .div(x.mul(x).add(1)),
      activations: ops.concat([x.tanh(), x.sigmoid(), x.relu(), x.logSoftmax()], -1).clone(),
      context: ops.matmul(scores, output),
      transposed: ops.matmul(x, x, { transposeA: true }).transpose().slice(1, -3, -1),
      sums: x.sum(1).add(x.mean(1)),
      whole: x.mean().reshape(1).add(x.sum()),
      last: ops.lastStep(output, lengths).add(ops.lastStep(x)),
      middle: ops.gatherTime(x, lengths),
      mean: ops.maskedMean(x, lengths),
      max: ops.maskedMax(x, lengths),
      tail: x.slice(1, -2).slice(0, 1).slice(2, 1, 3),
      tied: ops.linear(hidden.reshape(batch, 4), this.embedding.weight),
      words: this.embedding.forward(zeros([batch, time], { dtype: 'int32' })),
      normed: ops.layerNorm(x),
    };
  }
}

/** Every kind of model that is exported. */
export function exportCases(): ExportCase[] {
  const everything: ExportCase = {
    name: 'every operation',
    model: new Everything(),
    inputs: { x: randn([5, 8, 4]), lengths: Int32Array.of(7, 1, 3, 2, 5) },
    options: {
      inputs: { x: { shape: ['batch', 'time', 4] }, lengths: { shape: ['batch'], type: 'lengths' } },
    },
  };
  return [...gruCases(), ...layerCases(), ...taskCases(), everything];
}
