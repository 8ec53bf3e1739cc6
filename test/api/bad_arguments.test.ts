import { describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  clipGradientNorm,
  data,
  Embedding,
  Generator,
  GRU,
  GRUCell,
  LayerNorm,
  Linear,
  losses,
  Module,
  ops,
  parameter,
  randn,
  Sequential,
  SGD,
  saveSafetensors,
  setThreads,
  type Tensor,
  Trainer,
  tensor,
  uniform,
  zeros,
} from '../../lib/index.js';

// Each fault, the kind of error, and what its message must name.
const gru = new GRU({ inputSize: 3, hiddenSize: 4 });
const x = zeros([2, 5, 3]);
const weights = gru.parameters();
const cases: [string, () => unknown, typeof TypeError | typeof RangeError, RegExp][] = [
  ['tensor of text', () => tensor('abc' as never), TypeError, /data.*string/],
  ['tensor of ragged arrays', () => tensor([[1, 2], [3]]), RangeError, /data\[1\].*array of 2/],
  ['tensor of mixed arrays', () => tensor([1, [2]] as never), TypeError, /data\[1\]/],
  ['tensor with a shape that does not fit', () => tensor([1, 2, 3], [2, 2]), RangeError, /shape.*3 elements/],
  ['tensor with a negative dimension', () => zeros([2, -1]), RangeError, /shape\[1\]/],
  [
    'tensor of a type there is not',
    () => tensor([1], [1], { dtype: 'float64' as never }),
    RangeError,
    /dtype.*float32/,
  ],
  ['tensor with an unknown option', () => tensor([1], [1], { requireGrad: true } as never), TypeError, /requiresGrad/],
  ['int32 of fractions', () => tensor([1.5], [1], { dtype: 'int32' }), RangeError, /data\[0\].*32-bit/],
  [
    'gradient of whole numbers',
    () => tensor([1], [1], { dtype: 'int32', requiresGrad: true }),
    RangeError,
    /requiresGrad/,
  ],
  ['uniform upside down', () => uniform([2], 1, 0), RangeError, /high/],
  ['a seed of -1', () => new Generator(-1), RangeError, /seed/],
  ['add of text', () => tensor([1]).add('2' as never), TypeError, /b.*string/],
  ['add of NaN', () => tensor([1]).add(Number.NaN), RangeError, /b.*NaN/],
  ['add of shapes that do not broadcast', () => zeros([2, 3]).add(zeros([2])), RangeError, /\[2, 3\].*\[2\]/],
  ['reshape to another size', () => zeros([4]).reshape(3), RangeError, /4 elements/],
  ['sum over an axis there is not', () => zeros([2]).sum(1), RangeError, /axes/],
  ['slice past the end', () => zeros([2]).slice(0, 0, 3), RangeError, /end/],
  ['concat of nothing', () => ops.concat([]), RangeError, /parts/],
  ['concat of other shapes', () => ops.concat([zeros([2, 3]), zeros([2, 4])]), RangeError, /parts\[1\]/],
  ['matmul of inner sizes that differ', () => zeros([2, 3]).matmul(zeros([2, 3])), RangeError, /inner size is 3/],
  [
    'linear of another width',
    () => new Linear({ inputSize: 3, outputSize: 1 }).forward(zeros([2, 4])),
    RangeError,
    /x.*3/,
  ],
  [
    'embedding of float ids',
    () => new Embedding({ vocabularySize: 3, embeddingSize: 2 }).forward(zeros([2])),
    TypeError,
    /ids.*int32/,
  ],
  ['dropout of 1', () => ops.dropout(x, 1), RangeError, /probability/],
  ['gru without sizes', () => new GRU({} as never), TypeError, /inputSize/],
  ['gru of hidden size 0', () => new GRU({ inputSize: 1, hiddenSize: 0 }), RangeError, /hiddenSize.*0/],
  ['gru of 1e9 layers', () => new GRU({ inputSize: 1, hiddenSize: 1, numLayers: 1e9 }), RangeError, /numLayers/],
  ['gru with a misspelt option', () => new GRU({ inputSize: 1, hidenSize: 2 } as never), TypeError, /hiddenSize/],
  [
    'gru of another variant',
    () => new GRU({ inputSize: 1, hiddenSize: 1, variant: 'reset_after' as never }),
    RangeError,
    /variant.*resetAfter/,
  ],
  ['gru of a number', () => gru.forward(3 as never), TypeError, /x.*Tensor/],
  ['gru of rank 2', () => gru.forward(zeros([2, 3])), RangeError, /x.*rank 3/],
  ['gru of no steps', () => gru.forward(zeros([2, 0, 3])), RangeError, /x/],
  ['gru of another input size', () => ops.gru(zeros([2, 5, 4]), weights), RangeError, /weights\[0\].*12, 4/],
  [
    'gru with a state of another shape',
    () => gru.forward(x, { initialHidden: zeros([2, 4]) }),
    RangeError,
    /initialHidden.*1, 2, 4/,
  ],
  ['gru with too few lengths', () => gru.forward(x, { lengths: [1] }), RangeError, /lengths.*2 numbers/],
  ['gru with a length past the end', () => gru.forward(x, { lengths: [1, 6] }), RangeError, /lengths\[1\].*5.*6/],
  ['gru with lengths as a tensor', () => gru.forward(x, { lengths: tensor([1, 2]) as never }), TypeError, /lengths/],
  ['gru with three weights', () => ops.gru(x, weights.slice(0, 3)), RangeError, /weights.*4 Tensors/],
  ['gru with weights in another order', () => ops.gru(x, [...weights].reverse()), RangeError, /weights/],
  [
    'cell of another input size',
    () => new GRUCell({ inputSize: 2, hiddenSize: 2 }).forward(zeros([1, 3])),
    RangeError,
    /3|shape/,
  ],
  ['layer norm of size 0', () => new LayerNorm({ size: 0 }), RangeError, /size/],
  ['sequential of functions', () => new Sequential((() => x) as never), TypeError, /layers\[0\]/],
  ['loss of other shapes', () => losses.mse(zeros([2]), zeros([3])), RangeError, /target.*\[2\]/],
  [
    'cross-entropy with float targets',
    () => losses.crossEntropy(zeros([2, 3]), zeros([2])),
    TypeError,
    /target.*int32/,
  ],
  [
    'a reduction there is not',
    () => losses.mse(zeros([2]), zeros([2]), { reduction: 'average' as never }),
    RangeError,
    /reduction/,
  ],
  ['AdamW with the rate as a number', () => new AdamW(weights, 0.1 as never), TypeError, /options.*object.*0\.1/],
  ['a group with a foreign name', () => new Adam([{ parameters: weights, lr: 1 } as never]), TypeError, /learningRate/],
  [
    'a loss with a foreign option',
    () => losses.mse(zeros([2]), zeros([2]), { reduce: 'sum' } as never),
    TypeError,
    /reduction/,
  ],
  [
    'cross-entropy with snake case',
    () => losses.crossEntropy(zeros([1, 2]), tensor(Int32Array.of(0)), { ignore_index: 0 } as never),
    TypeError,
    /ignoreIndex/,
  ],
  ['an operation with a foreign option', () => ops.gru(x, weights, { num_layers: 1 } as never), TypeError, /numLayers/],
  ['GRU without options', () => new GRU(undefined as never), TypeError, /options/],
  ['GRU with PyTorch’s names', () => new GRU({ input_size: 1, hidden_size: 1 } as never), TypeError, /inputSize/],
  ['Trainer without options', () => new Trainer(undefined as never), TypeError, /options/],
  [
    'a wrong feature count names x',
    () => gru.forward(zeros([2, 5, 7])),
    RangeError,
    /x: expected a Tensor of shape \[batch, time, 3\], got Tensor\(\[2, 5, 7\]/,
  ],
  [
    'a cell of a number',
    () => new GRUCell({ inputSize: 2, hiddenSize: 2 }).forward(3 as never),
    TypeError,
    /x.*Tensor/,
  ],
  ['sum of an object', () => x.sum({ dim: 1 } as never), TypeError, /axes/],
  ['more elements than there can be', () => zeros([1e9, 1e9]), RangeError, /shape.*2\^40/],
  ['more whole numbers than there can be', () => zeros([1e9, 1e9], { dtype: 'int32' }), RangeError, /shape.*2\^40/],
  ['batches of an array', () => new data.Batches([1, 2] as never, { batchSize: 1 }), TypeError, /dataset.*\[1, 2\]/],
  ['a group without a list', () => new Adam([{ parameters: 3 } as never]), TypeError, /parameters\[0\].*3/],
  ['an optimizer with null options', () => new Adam(weights, null as never), TypeError, /options.*null/],
  ['clipping of a number', () => clipGradientNorm(3 as never, 1), TypeError, /parameters.*3/],
  ['no state', () => new SGD(weights).loadState(null as never), TypeError, /state.*null/],
  ['shared memory', () => tensor(new Float32Array(new SharedArrayBuffer(8)) as never), TypeError, /data.*ArrayBuffer/],
  [
    'lengths of BigInt',
    () => gru.forward(x, { lengths: BigInt64Array.of(1n, 2n) as never }),
    TypeError,
    /lengths\[0\]/,
  ],
  ['lengths that are fractions', () => gru.forward(x, { lengths: [1.5, 2] }), RangeError, /lengths\[0\]/],
  ['optimizer of nothing', () => new Adam([]), RangeError, /parameters/],
  [
    'optimizer of the same parameter twice',
    () => new SGD([weights[0] as never, weights[0] as never]),
    RangeError,
    /each Tensor once/,
  ],
  ['a negative learning rate', () => new Adam(weights, { learningRate: -1 }), RangeError, /learningRate/],
  ['Nesterov without momentum', () => new SGD(weights, { nesterov: true }), RangeError, /nesterov/],
  ['no threads', () => setThreads(0), RangeError, /threads/],
  ['item of many', () => zeros([2]).itemSync(), RangeError, /item/],
  [
    'backward of many without a gradient',
    () => randn([2], { requiresGrad: true }).tanh().backward(),
    RangeError,
    /gradient/,
  ],
];

describe('good arguments of unusual kinds', () => {
  it('lengths in any typed array', async () => {
    const run = (lengths: ArrayLike<number>) => gru.forward(x, { lengths }).output.data();
    const expected = await run([1, 4]);
    for (const kind of [Uint8Array, Int16Array, Float32Array, Float64Array])
      expect(await run(kind.of(1, 4))).toEqual(expected);
  });

  it('parameters that modules share are one', async () => {
    class Tied extends Module {
      embedding = new Embedding({ vocabularySize: 5, embeddingSize: 3 });
      head = new Linear({ inputSize: 3, outputSize: 5, bias: false });
      state = zeros([2]); // remembered, not learned
      mine?: Tensor;
      constructor() {
        super();
        this.head.weight = this.embedding.weight;
      }
      forward(ids: Tensor): Tensor {
        return this.head.forward(this.embedding.forward(ids));
      }
    }
    const model = new Tied();
    expect([...model.namedParameters()].map(([name]) => name)).toEqual(['embedding.weight']);
    expect(Object.keys(await model.stateDict())).toEqual(['embedding.weight', 'head.weight']);
    const optimizer = new Adam(model.parameters());
    losses.crossEntropy(model.forward(tensor(Int32Array.of(1))), tensor(Int32Array.of(2))).backward();
    await optimizer.step();
    expect((await optimizer.report()).steps).toBe(1);
    await model.loadStateDict(await model.stateDict());
    model.mine = parameter(zeros([3]));
    expect(model.parameters()).toHaveLength(2);
  });

  it('a state of another optimizer is refused', async () => {
    const [adam, sgd] = [new Adam(weights), new SGD(weights)];
    const state = await adam.state();
    expect(() => sgd.loadState(state)).toThrow(/settings.*momentum/);
  });
});

describe('bad arguments', () => {
  for (const [name, act, kind, message] of cases) {
    it(name, () => {
      expect(act).toThrow(kind);
      expect(act).toThrow(message);
      expect(act).toThrow(
        expect.objectContaining({ code: kind === TypeError ? 'ERR_INVALID_ARG_TYPE' : 'ERR_OUT_OF_RANGE' }),
      );
    });
  }

  it('an unknown device, and one that is not there', () => {
    for (const name of ['gpu', 'cpu:0', 'cuda:00', 'CPU', '']) {
      expect(() => tensor([1], [1], { device: name as never })).toThrow(/device.*'cpu'.*'auto'/);
      expect(() => tensor([1], [1], { device: name as never })).toThrow(RangeError);
    }
    expect(() => tensor([1], [1], { device: 'cuda:9999' })).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_UNAVAILABLE' }),
    );
  });

  it('what only a promise can refuse', async () => {
    const wrongKind = { code: 'ERR_INVALID_ARG_TYPE' };
    await expect(saveSafetensors('never', null as never)).rejects.toMatchObject(wrongKind);
    await expect(saveSafetensors('never', {}, 3 as never)).rejects.toMatchObject(wrongKind);
    const broken = new Linear({ inputSize: 1, outputSize: 1 });
    broken.weight.grad = 3 as never;
    const optimizer = new SGD(broken.parameters());
    await expect(optimizer.step()).rejects.toMatchObject(wrongKind);
    expect(() => optimizer.zeroGrad()).toThrow(expect.objectContaining(wrongKind));
  });

  it('a read of more than the host can hold', async () => {
    await expect(zeros([2 ** 39]).data()).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
  });

  it('a step without gradients', async () => {
    await expect(new Adam(weights).step()).rejects.toMatchObject({ code: 'ERR_NO_GRADIENT' });
    expect(() => zeros([1]).backward()).toThrow(expect.objectContaining({ code: 'ERR_NO_GRADIENT' }));
  });
});
