import { describe, expect, it } from 'vitest';
import {
  Adam,
  CudnnGruError,
  data,
  GRU,
  Linear,
  noGrad,
  ops,
  Trainer,
  tensor,
  withPrecision,
  zeros,
} from '../../lib/index.js';

const a = tensor([1, 2, 3, 4], [2, 2]);

describe('withPrecision on the CPU', () => {
  it.each(['tf32', 'float16', 'bfloat16'] as const)('%s is refused by what computes in it', (precision) => {
    for (const run of [
      () => ops.linear(a, a),
      () => ops.matmul(a, a),
      () => new GRU({ inputSize: 2, hiddenSize: 3 }).forward(zeros([1, 2, 2])).output,
    ]) {
      expect(() => withPrecision(precision, run)).toThrow(
        expect.objectContaining({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining(`'${precision}'`) }),
      );
    }
    // What has one precision only is as it was.
    expect(() => withPrecision(precision, () => ops.add(a, a))).not.toThrow();
  });

  it('float32 computes, also inside another precision, and the precision ends with its scope', async () => {
    const product = withPrecision('float16', () => withPrecision('float32', () => ops.matmul(a, a)));
    expect([...(await product.data())]).toEqual([7, 10, 15, 22]);
    expect(() => withPrecision('float16', () => ops.add(a, zeros([3])))).toThrow(RangeError);
    expect([...(await ops.matmul(a, a).data())]).toEqual([7, 10, 15, 22]);
  });

  it('the gradient of a float32 operation is computed in float32, wherever backward() is called', async () => {
    const layer = new Linear({ inputSize: 2, outputSize: 2 });
    const loss = ops.sum(ops.matmul(layer.forward(a), a));
    withPrecision('bfloat16', () => loss.backward());
    expect((await layer.weight.grad?.data())?.length).toBe(4);
  });

  it('bad arguments', () => {
    expect(() => withPrecision('half' as 'float16', () => 0)).toThrow(RangeError);
    expect(() => withPrecision(16 as never, () => 0)).toThrow(TypeError);
    expect(() => withPrecision('float16', undefined as never)).toThrow(TypeError);
    expect(() => new GRU({ inputSize: 1, hiddenSize: 1, algorithm: 'fast' as never })).toThrow(RangeError);
    expect(() => ops.gru(zeros([1, 1, 1]), [], { algorithm: 1 as never })).toThrow(TypeError);
  });

  it('a Trainer takes a precision, and says where it cannot be had', async () => {
    const model = new Linear({ inputSize: 1, outputSize: 1 });
    const dataset = new data.SequenceDataset({ sequences: [[[1]], [[2]]], targets: [[1], [2]] });
    const train = (precision: 'float16' | 'float32') =>
      new Trainer({
        model,
        optimizer: new Adam(model.parameters(), { learningRate: 0.1 }),
        loss: ({ inputs }) => model.forward(ops.lastStep(inputs)).mean(),
        data: new data.Batches(dataset, { batchSize: 2 }),
        epochs: 1,
        precision,
      });
    expect(() => train('double' as 'float16')).toThrow(/precision/);
    await expect(train('float16').fit()).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: "linear: precision 'float16' needs a GPU; the device 'cpu' computes in 'float32'",
    });
    expect((await train('float32').fit()).steps).toBe(1);
  });

  it('the error is a CudnnGruError, and noGrad changes nothing', () => {
    expect(() => noGrad(() => withPrecision('tf32', () => ops.matmul(a, a)))).toThrow(CudnnGruError);
  });
});
