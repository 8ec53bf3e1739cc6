import { describe, expect, it } from 'vitest';
import { item, range } from '../reference/array64.js';
import type { Backend } from '../suites/backend.js';
import { expectClose, random32, toleranceIn } from '../suites/checks.js';
import { child, emulated, entry, reason, title } from './gpu.js';

// What cuDNN does not take, and calls that therefore reach it in another shape: the results are those of the CPU. The emulated GPU's stand-in
// refuses what the real one refuses, and every address that is no multiple of 16 bytes.
const { Generator, GRU, noGrad, ops, tensor, withPrecision } = await import('../../lib/index.js');
const { addon } = await import('../../lib/native/load.js');
const { deviceOf } = await import('../../lib/tensor/device.js');
const { divide } = await import('../../lib/ops/result.js');
const { gradientOf } = await import('../suites/backend.js');
const { withMostSteps } = await import('../suites/gru_check.js');

describe.skipIf(reason !== '')(title('limits of the GRU'), () => {
  const devices = ['cpu', 'cuda'] as const;
  type Device = (typeof devices)[number];
  type Tensor = import('../../lib/index.js').Tensor;

  /** A tensor of random numbers that begins an odd number of elements after its memory does. */
  const oddly = (device: Device, seed: number, shape: number[], offset = 1): Tensor => {
    const count = shape.reduce((product, size) => product * size, 1);
    const whole = tensor(Float32Array.from(random32(seed, [count + offset]).data), [count + offset], { device });
    return item(divide(whole, [shape], [offset]), 0);
  };

  async function expectSameOnBoth(
    run: (device: Device) => Promise<ArrayLike<number>[]>,
    precision: 'float32' | 'float16' = 'float32',
  ) {
    const [onCpu, onGpu] = [await run('cpu'), await withPrecision(precision, () => run('cuda'))];
    for (const [index, expected] of onCpu.entries()) {
      const tolerance = toleranceIn(precision, expected);
      expectClose(item(onGpu, index), expected, tolerance, `result ${index}`);
    }
  }

  it.each([
    ['a stack', { numLayers: 2 }],
    ['two directions', { bidirectional: true }],
  ])('more than 65,535 steps: %s, with lengths, trained', async (_, options) => {
    const [batch, time, hiddenSize] = [2, 65_537, 2];
    await expectSameOnBoth(async (device) => {
      // Nothing is measured: it would take long on a GPU.
      const gru = new GRU({ inputSize: 1, hiddenSize, algorithm: 'standard', ...options, device });
      for (const [index, parameter] of gru.parameters().entries())
        parameter.write(Float32Array.from(random32(index, [parameter.size]).data));
      const x = tensor(Float32Array.from(random32(7, [batch * time]).data), [batch, time, 1], {
        device,
        requiresGrad: true,
      });
      const { output, hidden } = gru.forward(x, { lengths: [time, 40_000] });
      ops.add(output.mean(), hidden.sum()).backward();
      const gradients = [x, ...gru.parameters()].map((leaf) => gradientOf(leaf, 'leaf'));
      return [await output.data(), await hidden.data(), ...(await Promise.all(gradients))];
    });
  });

  it('a call of more steps that reaches cuDNN names the limit', async () => {
    await withMostSteps({ device: 'cuda' } as Backend, 100_000, async () => {
      const gru = new GRU({ inputSize: 1, hiddenSize: 1, device: 'cuda' });
      const x = tensor(new Float32Array(65_536), [1, 65_536, 1], { device: 'cuda' });
      await expect(noGrad(() => gru.forward(x)).hidden.data()).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: 'cuDNN takes time up to 65535 in one call, not 65536',
      });
    });
  });

  const standardOnly = [
    ['without biases', { bias: false }, null],
    ['rows that are shorter than the sequence', {}, [3, 2]],
  ] as const;
  it.each(standardOnly)(
    '%s: STANDARD is chosen, and another that is asked for says why not',
    async (words, options, lengths) => {
      const gru = new GRU({ inputSize: 3, hiddenSize: 5, device: 'cuda', ...options });
      const run = () =>
        gru.forward(tensor(new Float32Array(18), [2, 3, 3], { device: 'cuda' }), { lengths }).hidden.data();
      gru.algorithm = 'tuned';
      await run();
      const record = addon.choices(deviceOf('cuda').index).find((line) => line.includes('3 to 5'));
      expect(record).toContain('\tstandard ');
      gru.algorithm = 'persistStatic';
      await expect(run()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining(words) });
    },
  );

  it.skipIf(!emulated)(
    `the persistent algorithms are tried only where they take the call${emulated ? '' : ' (skipped: the stand-in for cuDNN tells)'}`,
    () => {
      const tried = (options: object, lengths: readonly number[] | null) => {
        const { stderr, status } = child(
          `import { GRU, ones } from ${JSON.stringify(entry)};
          const gru = new GRU({ inputSize: 3, hiddenSize: 5, device: 'cuda', algorithm: 'tuned', ...${JSON.stringify(options)} });
          await gru.forward(ones([2, 3, 3], { device: 'cuda' }), { lengths: ${JSON.stringify(lengths)} }).hidden.data();`,
          { CUDNN_GRU_EMULATED_ALGORITHMS: '1', CUDNN_GRU_CACHE: 'off' },
        );
        expect(status).toBe(0);
        return [...new Set(stderr.match(/(?<=emulated cuDNN: algorithm )\d+/g))].sort();
      };
      expect(tried({}, null)).toEqual(['0', '1', '3']); // STANDARD and the two persistent ones, by cuDNN's numbers
      for (const [, options, lengths] of standardOnly) expect(tried(options, lengths)).toEqual(['0']);
    },
  );

  it.each(['float32', 'float16'] as const)(
    'tensors, states of a layer and parameters at odd addresses, %s',
    async (precision) => {
      const [batch, time, inputSize, hiddenSize, layers] = [31, 3, 7, 50, 3];
      for (const [dropout, bias] of [
        [0, true],
        [0.5, true],
        [0.5, false],
      ] as const)
        await expectSameOnBoth(async (device) => {
          const layout = addon.gruLayout(deviceOf(device).index, inputSize, hiddenSize, layers, 1, bias);
          const [elements, ...offsets] = layout as unknown as [number, ...number[]];
          const shapes = range(layers).flatMap((layer) => [
            [3 * hiddenSize, layer === 0 ? inputSize : hiddenSize],
            [3 * hiddenSize, hiddenSize],
            ...(bias ? [[3 * hiddenSize], [3 * hiddenSize]] : []),
          ]);
          // Each has the same numbers on both devices, wherever it lies.
          const block = new Float32Array(elements + 1);
          for (const [index, shape] of shapes.entries()) {
            const values = random32(100 + index, shape, -0.14, 0.14).data;
            block.set(values, 1 + item(offsets, index));
          }
          const weights = divide(
            tensor(block, [block.length], { device }),
            shapes,
            offsets.map((offset) => offset + 1),
          );
          const x = oddly(device, 1, [time, batch, inputSize]);
          const initialHidden = oddly(device, 2, [layers, batch, hiddenSize], 3);
          for (const leaf of [x, initialHidden, ...weights]) leaf.requiresGrad = true;
          // All before the first await, so in this precision.
          const run = () =>
            ops.gru(x, weights, {
              numLayers: layers,
              bias,
              dropout,
              initialHidden,
              timeMajor: true,
              generator: new Generator(5),
            });
          const { output } = run();
          output.backward(oddly(device, 3, [time, batch, hiddenSize]));
          const { hidden } = run();
          hidden.backward(oddly(device, 4, [layers, batch, hiddenSize]));
          const leaves = [x, initialHidden, ...weights].map((leaf) => gradientOf(leaf, 'leaf'));
          return [await output.data(), await hidden.data(), ...(await Promise.all(leaves))];
        }, precision);
    },
  );
});
