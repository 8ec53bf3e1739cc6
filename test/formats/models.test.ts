import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../lib/formats/safetensors.js';
import {
  Dropout,
  devices,
  Embedding,
  GRU,
  GRUCell,
  LayerNorm,
  Linear,
  loadModel,
  loadSafetensors,
  Module,
  noGrad,
  randn,
  registerModule,
  Sequential,
  saveModel,
  saveSafetensors,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';

const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-models-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const peer = (name: string) => fileURLToPath(new URL(`../fixtures/peers/${name}`, import.meta.url));

class Twice extends Module {
  inner: Linear;
  constructor(readonly size: number) {
    super();
    this.inner = new Linear({ inputSize: size, outputSize: size });
  }
  forward(x: Tensor): Tensor {
    return this.inner.forward(this.inner.forward(x));
  }
  override architecture() {
    return { type: 'Twice', options: { size: this.size } };
  }
}

describe('model files', () => {
  const kinds: [string, () => Module, () => Tensor][] = [
    [
      'GRU',
      () =>
        new GRU({
          inputSize: 3,
          hiddenSize: 5,
          numLayers: 2,
          bidirectional: true,
          dropout: 0.3,
          variant: 'resetBefore',
        }),
      () => randn([2, 4, 3]),
    ],
    [
      'GRU without bias, time-major',
      () => new GRU({ inputSize: 3, hiddenSize: 5, bias: false, timeMajor: true }),
      () => randn([4, 2, 3]),
    ],
    ['GRUCell', () => new GRUCell({ inputSize: 3, hiddenSize: 5 }), () => randn([2, 3])],
    ['Linear', () => new Linear({ inputSize: 3, outputSize: 2, bias: false }), () => randn([2, 3])],
    [
      'Embedding',
      () => new Embedding({ vocabularySize: 4, embeddingSize: 3, paddingIndex: 0 }),
      () => tensor(Int32Array.of(0, 3)),
    ],
    ['LayerNorm', () => new LayerNorm({ size: 3, epsilon: 1e-3 }), () => randn([2, 3])],
    [
      'Sequential',
      () =>
        new Sequential(
          new Embedding({ vocabularySize: 9, embeddingSize: 4 }),
          new GRU({ inputSize: 4, hiddenSize: 6 }),
          new Dropout(0.4),
          new Linear({ inputSize: 6, outputSize: 2 }),
        ),
      () => tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
    ],
  ];
  for (const [name, make, input] of kinds) {
    it(`${name}: saved and loaded, it computes the same bits`, async () => {
      const model = make().eval();
      model.preprocessing = { mean: [1, 2.5], columns: ['a', 'b'] };
      model.summary = { epochs: 3 };
      await saveModel(at('model.safetensors'), model);
      const loaded = await loadModel(at('model.safetensors'));
      expect(loaded).toBeInstanceOf(model.constructor);
      expect(loaded.architecture()).toEqual(model.architecture());
      expect(loaded.preprocessing).toEqual(model.preprocessing);
      expect(loaded.summary).toEqual(model.summary);
      expect(loaded.training).toBe(false);
      const x = input();
      const run = (module: Module): Tensor => {
        const answer = noGrad(() =>
          (module as Module & { forward(x: Tensor): Tensor | { output: Tensor } }).forward(x),
        );
        return 'output' in answer ? answer.output : answer;
      };
      expect(await run(loaded).data()).toEqual(await run(model).data());
    });
  }

  it('a class of one’s own, once it is registered', async () => {
    const model = new Twice(3);
    await saveModel(at('twice.safetensors'), model);
    await expect(loadModel(at('twice.safetensors'))).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringContaining('"Twice"'),
    });
    registerModule('Twice', (options) => new Twice((options as { size: number }).size));
    expect(await loadModel(at('twice.safetensors'))).toBeInstanceOf(Twice);
  });

  it('a class without architecture() is refused, and nothing is written', async () => {
    class Bare extends Module {
      inner = new Linear({ inputSize: 1, outputSize: 1 });
      forward() {}
    }
    const before = readdirSync(folder);
    await expect(saveModel(at('bare.safetensors'), new Bare())).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('PyTorch', () => {
  it('a GRU’s state_dict loads by its names and gives PyTorch’s outputs', async () => {
    const state = await loadSafetensors(peer('torch_gru_2l_bi.safetensors'));
    const expected = await loadSafetensors(peer('torch_gru_2l_bi.safetensors.expected.safetensors'));
    const names = Object.keys(state);
    const prefix = (names.find((name) => name.endsWith('weight_ih_l0')) as string).slice(0, -'weight_ih_l0'.length);
    const weights = state[`${prefix}weight_ih_l0`] as Tensor;
    const gru = new GRU({
      inputSize: weights.shape[1] as number,
      hiddenSize: (weights.shape[0] as number) / 3,
      numLayers: 2,
      bidirectional: true,
      timeMajor: true,
    });
    await gru.loadStateDict(
      Object.fromEntries(
        names
          .filter((name) => name.startsWith(prefix))
          .map((name) => [name.slice(prefix.length), state[name] as Tensor]),
      ),
    );
    const { output, hidden } = noGrad(() =>
      gru.forward(expected.input0 as Tensor, { initialHidden: expected.input1 as Tensor }),
    );
    for (const [ours, theirs] of [
      [output, expected.output0],
      [hidden, expected.output1],
    ] as const) {
      const [a, b] = [await ours.data(), await (theirs as Tensor).data()];
      expect(ours.shape).toEqual(theirs?.shape);
      for (const [index, value] of a.entries()) expect(Math.abs(value - (b[index] as number))).toBeLessThan(2e-6);
    }
  });
});

describe('loadStateDict', () => {
  it('names what is missing and what is unknown', async () => {
    const layer = new Linear({ inputSize: 2, outputSize: 1 });
    const record = { weight: zeros([1, 2]), biass: zeros([1]) };
    await expect(layer.loadStateDict(record)).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(/bias is missing.*biass is unknown.*"bias"/),
    });
    expect(await layer.loadStateDict(record, { strict: false })).toEqual({ missing: ['bias'], unknown: ['biass'] });
    await expect(layer.loadStateDict({ weight: zeros([2, 1]), bias: zeros([1]) })).rejects.toThrow(RangeError);
  });

  it('a wrong shape changes nothing', async () => {
    const layer = new Linear({ inputSize: 2, outputSize: 1 });
    const before = await layer.weight.data();
    await expect(layer.loadStateDict({ weight: zeros([1, 2]), bias: zeros([3]) })).rejects.toThrow(RangeError);
    expect(await layer.weight.data()).toEqual(before);
  });
});

describe('hostile model files', () => {
  const small = { shape: [1], data: Float32Array.of(0) };
  const write = (architecture: unknown) =>
    writeSafetensors(
      at('hostile.safetensors'),
      { weight: small },
      { 'cudnn-gru': '1', architecture: JSON.stringify(architecture) },
    );
  const cases: [string, unknown][] = [
    [
      'asks for more parameters than the file holds',
      { type: 'Linear', options: { inputSize: 100_000, outputSize: 100_000 } },
    ],
    ['asks for a huge GRU', { type: 'GRU', options: { inputSize: 1, hiddenSize: 50_000 } }],
    ['asks for a huge embedding', { type: 'Embedding', options: { vocabularySize: 2 ** 40, embeddingSize: 1000 } }],
    ['asks for very many layers', { type: 'GRU', options: { inputSize: 1, hiddenSize: 1, numLayers: 1e12 } }],
    ['is no object', 3],
    ['is null', null],
    ['has options of the wrong kind', { type: 'GRU', options: 'x' }],
    ['names something that objects have', { type: 'constructor', options: {} }],
  ];
  for (const [name, architecture] of cases) {
    it(`an architecture that ${name}`, async () => {
      await write(architecture);
      const before = devices().find((device) => device.name === 'cpu')?.memory?.bytesInUse ?? 0;
      await expect(loadModel(at('hostile.safetensors'))).rejects.toMatchObject({ code: 'ERR_FORMAT' });
      const after = devices().find((device) => device.name === 'cpu')?.memory?.bytesInUse ?? 0;
      expect(after - before).toBeLessThan(1 << 20);
    });
  }

  it('an architecture that nests without end', async () => {
    const depth = 200_000;
    const architecture = `${'{"type":"Sequential","options":['.repeat(depth)}${']}'.repeat(depth)}`;
    await writeSafetensors(at('deep.safetensors'), { weight: small }, { 'cudnn-gru': '1', architecture });
    await expect(loadModel(at('deep.safetensors'))).rejects.toMatchObject({ code: 'ERR_FORMAT' });
  });

  it('plain tensors, another version, metadata that is not JSON, a truncated file, no file', async () => {
    await saveSafetensors(at('plain.safetensors'), { a: zeros([2]) });
    await expect(loadModel(at('plain.safetensors'))).rejects.toThrow(/not a model file.*loadSafetensors/);
    await writeSafetensors(at('newer.safetensors'), { weight: small }, { 'cudnn-gru': '99', architecture: '{}' });
    await expect(loadModel(at('newer.safetensors'))).rejects.toThrow(/version 99/);
    await writeSafetensors(at('text.safetensors'), { weight: small }, { 'cudnn-gru': '1', architecture: '{' });
    await expect(loadModel(at('text.safetensors'))).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    await saveModel(at('whole.safetensors'), new Linear({ inputSize: 3, outputSize: 2 }));
    const bytes = readFileSync(at('whole.safetensors'));
    for (const length of [0, 7, 8, 100, bytes.length - 1]) {
      writeFileSync(at('cut.safetensors'), bytes.subarray(0, length));
      await expect(loadModel(at('cut.safetensors')), `${length} bytes`).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    }
    await expect(loadModel(at('none.safetensors'))).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});
