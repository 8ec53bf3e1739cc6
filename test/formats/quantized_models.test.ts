import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { modelMetadata } from '../../lib/formats/models.js';
import { writeSafetensors } from '../../lib/formats/safetensors.js';
import {
  Adam,
  Dropout,
  Embedding,
  GRU,
  Linear,
  loadModel,
  losses,
  Module,
  noGrad,
  QuantizedGRU,
  randn,
  registerModule,
  Sequential,
  saveModel,
  type Tensor,
  tasks,
  tensor,
} from '../../lib/index.js';
import { temporaryFolder } from './temporary_folder.js';

const at = temporaryFolder();

/** A model of a user's own: GRUs as a property and in an array, and other layers beside them. */
class Reader extends Module {
  readonly embedding = new Embedding({ vocabularySize: 11, embeddingSize: 24 });
  readonly grus = [new GRU({ inputSize: 24, hiddenSize: 40 }), new GRU({ inputSize: 40, hiddenSize: 40 })];
  readonly head = new Sequential(
    new Dropout(0.5),
    new GRU({ inputSize: 40, hiddenSize: 33 }),
    new Linear({ inputSize: 33, outputSize: 2 }),
  );
  forward(ids: Tensor): Tensor {
    let x = this.embedding.forward(ids);
    for (const gru of this.grus) x = gru.forward(x).output;
    return this.head.forward(x);
  }
  override architecture() {
    return { type: 'Reader', options: {} };
  }
}
registerModule('Reader', () => new Reader());

const ids = () =>
  tensor(
    Int32Array.from({ length: 14 }, (_, i) => (3 * i) % 11),
    [2, 7],
  );
const run = async (model: Module, x: Tensor): Promise<Float32Array> => {
  const answer = noGrad(() => (model as Module & { forward(x: Tensor): Tensor | { output: Tensor } }).forward(x));
  return (await ('output' in answer ? answer.output : answer).data()) as Float32Array;
};
const distance = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

describe.each(['int8', 'bfloat16'] as const)('quantize(%s)', (precision) => {
  const models: [string, () => Module, () => Tensor][] = [
    ['GRU', () => new GRU({ inputSize: 9, hiddenSize: 40, numLayers: 2, bidirectional: true }), () => randn([2, 5, 9])],
    [
      'Sequential',
      () => new Sequential(new GRU({ inputSize: 9, hiddenSize: 40 }), new Linear({ inputSize: 40, outputSize: 3 })),
      () => randn([2, 5, 9]),
    ],
    [
      'Forecaster',
      () => new tasks.Forecaster({ inputSize: 3, horizon: 4, hiddenSize: 40, dropout: 0.2 }),
      () => randn([2, 6, 3]),
    ],
    [
      'Forecaster with a decoder',
      () => new tasks.Forecaster({ inputSize: 3, horizon: 4, outputSize: 3, decoderSize: 2, hiddenSize: 40 }),
      () => randn([2, 10, 3]),
    ],
    ['a class of one’s own', () => new Reader(), ids],
  ];

  it.each(models)('%s: near the original, which stays as it is', async (_, make, input) => {
    const model = make();
    model.summary = { found: 'so' };
    const before = await model.stateDict();
    const quantized = model.quantize(precision);
    expect(quantized).not.toBe(model);
    expect(quantized.constructor).toBe(model instanceof GRU ? QuantizedGRU : model.constructor);
    expect(quantized.quantization).toBe(precision);
    expect(quantized.training).toBe(false);
    expect(quantized.summary).toEqual({ found: 'so' });
    expect(await model.stateDict()).toEqual(before);
    expect(model.training).toBe(true);
    const x = input();
    const difference = distance(await run(quantized, x), await run(model.eval(), x));
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.05);
    quantized.dispose();
    expect((await run(model, x)).every(Number.isFinite)).toBe(true);
  });

  it.each(models)('%s: saved small, and the same after loading', async (_, make, input) => {
    const model = make();
    const quantized = model.quantize(precision);
    await saveModel(at('float32'), model);
    await saveModel(at('quantized'), quantized);
    const loaded = await loadModel(at('quantized'));
    expect(loaded.constructor).toBe(quantized.constructor);
    expect(loaded.quantization).toBe(precision);
    expect(await loaded.stateDict()).toEqual(await quantized.stateDict());
    const x = input();
    expect(await run(loaded, x)).toEqual(await run(quantized, x));
    const count = (module: Module) => module.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
    expect(count(quantized) / count(model)).toBeLessThan(precision === 'int8' ? 0.35 : 0.6);
    // Names take their share of a file this small.
    const bytes = statSync(at('float32')).size - statSync(at('quantized')).size;
    expect(bytes).toBeGreaterThan(3.5 * (count(model) - count(quantized)) - 2000);
    await saveModel(at('again'), loaded);
    expect(await (await loadModel(at('again'))).stateDict()).toEqual(await quantized.stateDict());
  });

  it('cannot be trained: no mode, no gradient', async () => {
    const model = new Sequential(new GRU({ inputSize: 3, hiddenSize: 8 }), new Linear({ inputSize: 8, outputSize: 1 }));
    const quantized = model.quantize(precision);
    const refused = expect.objectContaining({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining(precision) });
    expect(() => quantized.train()).toThrow(refused);
    expect(() => new Sequential(quantized.layers[0] as never).train()).toThrow(refused);
    expect(() => new Adam(quantized.parameters())).toThrow(/parameters: expected float32/);
    const loss = losses.mse(quantized.forward(randn([2, 4, 3])), randn([2, 4, 1]));
    expect(() => loss.backward()).toThrow(expect.objectContaining({ code: 'ERR_NO_GRADIENT' }));
    expect(() => quantized.forward(randn([2, 4, 3], { requiresGrad: true }))).toThrow(
      expect.objectContaining({ code: 'ERR_NO_GRADIENT' }),
    );
    expect(() => quantized.quantize('int8')).toThrow(refused);
  });

  it('what cannot be quantized says why', async () => {
    const before = new GRU({ inputSize: 3, hiddenSize: 4, variant: 'resetBefore' });
    expect(() => new Sequential(before).quantize(precision)).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining('resetBefore') }),
    );
    const broken = new GRU({ inputSize: 3, hiddenSize: 4 });
    (broken.weight_hh_l0 as Tensor).write(Float32Array.from({ length: 48 }, (_, i) => (i === 7 ? Number.NaN : 0)));
    expect(() => broken.quantize(precision)).toThrow(
      expect.objectContaining({ code: 'ERR_NON_FINITE', message: expect.stringMatching(/weight_hh_l0.*index 7/) }),
    );
    class Unknown extends Module {
      readonly gru = new GRU({ inputSize: 1, hiddenSize: 1 });
      forward() {}
    }
    expect(() => new Unknown().quantize(precision)).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }));
  });

  it('a file that lies', async () => {
    const model = new tasks.Forecaster({ inputSize: 3, horizon: 4, hiddenSize: 40 }).quantize(precision);
    const metadata = modelMetadata(model);
    const state = await model.stateDict();
    const lie = async (change: Record<string, string>, tensors = state) => {
      await writeSafetensors(at('lie'), tensors, { ...metadata, ...change });
      return loadModel(at('lie'));
    };
    const format = { code: 'ERR_FORMAT' };
    await expect(lie({ quantization: 'int4' })).rejects.toMatchObject(format);
    await expect(lie({ quantization: precision === 'int8' ? 'bfloat16' : 'int8' })).rejects.toMatchObject(format);
    const rest = { ...state };
    delete rest['gru.weight_hh_l1'];
    await expect(lie({}, rest)).rejects.toMatchObject(format);
    const words = state['gru.weight_hh_l1'] as { shape: number[]; data: Int32Array };
    const floats = { shape: words.shape, data: Float32Array.from(words.data) };
    await expect(lie({}, { ...state, 'gru.weight_hh_l1': floats })).rejects.toMatchObject(format);
    const huge = { type: 'QuantizedGRU', options: { inputSize: 1, hiddenSize: 1e6, precision } };
    await expect(lie({ architecture: JSON.stringify(huge) })).rejects.toMatchObject(format);
    expect(await (await lie({})).stateDict()).toEqual(state);
  });
});

it('quantize() of an unknown precision', () => {
  const gru = new GRU({ inputSize: 1, hiddenSize: 1 });
  expect(() => gru.quantize('int4' as never)).toThrow(RangeError);
  expect(() => gru.quantize(8 as never)).toThrow(TypeError);
});

it('the widest sums of int8 stay exact', async () => {
  const columns = 70_000;
  const gru = new GRU({ inputSize: columns, hiddenSize: 1, bias: false });
  for (const parameter of gru.parameters()) parameter.write(new Float32Array(parameter.size).fill(1e-5));
  const x = tensor(new Float32Array(columns).fill(1), [1, 1, columns]);
  // Every product is 127 · 127: the sums are 1.13e9, and stand for 0.7.
  const [z, n] = [1 / (1 + Math.exp(-0.7)), Math.tanh(0.7)];
  const [state] = await run(gru.quantize('int8'), x);
  expect(state).toBeCloseTo((1 - z) * n, 6);
});
