import { describe, expect, it } from 'vitest';
import { CudnnGruError, losses, type Tensor } from '../../lib/index.js';
import { Array64, range } from '../reference/array64.js';
import { golden, settingOf } from '../reference/golden.js';
import * as reference from '../reference/losses.js';
import { type Backend, checkOperation, gradientOf, integersOnDevice, onDevice } from './backend.js';
import { expectNear, ODD_SIZES, random32, randomIntegers } from './checks.js';

const REDUCTIONS = ['none', 'sum', 'mean'] as const;

/** A loss reduced to one number has the shape []. */
const reduced = (loss: Array64, reduction: reference.Reduction): Array64 =>
  reduction === 'none' ? loss : loss.reshape();

/** Losses, with every reduction. */
export function run(backend: Backend): void {
  async function checkGolden(name: string, input: string, loss: (x: Tensor) => Tensor): Promise<void> {
    const c = golden('losses').case(name);
    const x = onDevice(backend, c.get(input), true);
    const value = loss(x);
    expectNear(await value.data(), c.get('loss'), 'elementwise', 'loss');
    value.backward();
    expectNear(await gradientOf(x, input), c.get(`grad.${input}`), 'accumulated', `gradient of ${input}`);
  }

  describe.each([
    ['mse', 'mse'],
    ['mae', 'l1'],
    ['huber', 'huber'],
  ] as const)('%s', (name, goldenName) => {
    const delta = 0.7;
    const loss = (x: Tensor, target: Tensor, reduction: reference.Reduction) =>
      name === 'huber' ? losses.huber(x, target, { reduction, delta }) : losses[name](x, target, { reduction });

    it('golden values', () =>
      checkGolden(goldenName, 'input', (x) =>
        loss(x, onDevice(backend, golden('losses').case(goldenName).get('target')), 'mean'),
      ));

    it.each(REDUCTIONS)('reduction %s', async (reduction) => {
      for (const shape of [[1], [3, 5], ...ODD_SIZES.map((size) => [size]), [2, 5000]]) {
        const [x, target] = [random32(1, shape, -2, 2), random32(2, shape, -2, 2)];
        await checkOperation(backend, `${name} of [${shape}]`, {
          inputs: [x, target],
          run: (a, b) => loss(a as Tensor, b as Tensor, reduction),
          expected: reduced(reference.regressionForward(name, x, target, reduction, delta), reduction),
          backward: (grad) => {
            const flat = reduction === 'none' ? grad : grad.reshape(1);
            const xGrad = reference.regressionBackward(name, x, target, reduction, flat, delta);
            return [xGrad, xGrad.map((g) => -g)];
          },
        });
      }
    });

    it('another shape of the target is refused', () => {
      const [x, target] = [onDevice(backend, new Array64([2, 3])), onDevice(backend, new Array64([3, 2]))];
      expect(() => loss(x, target, 'mean')).toThrow(RangeError);
    });
  });

  describe('pinball', () => {
    it.each(REDUCTIONS)('reduction %s', async (reduction) => {
      for (const [shape, levels] of [
        [[1], [0.5]],
        [
          [3, 5],
          [0.1, 0.9],
        ],
        [[17], [0.05, 0.25, 0.5, 0.75, 0.95]],
        [
          [2, 500],
          [0.01, 0.5, 0.99],
        ],
      ] as const) {
        const [x, target] = [random32(1, [...shape, levels.length], -2, 2), random32(2, [...shape], -2, 2)];
        await checkOperation(backend, `pinball of [${shape}]`, {
          inputs: [x, target],
          run: (a, b) => losses.pinball(a as Tensor, b as Tensor, { levels, reduction }),
          expected: reduced(reference.pinballForward(x, target, levels, reduction), reduction),
          backward: (grad) =>
            reference.pinballBackward(x, target, levels, reduction, reduction === 'none' ? grad : grad.reshape(1)),
        });
      }
    });

    it('refuses other shapes and levels', () => {
      const [x, target] = [onDevice(backend, new Array64([2, 3])), onDevice(backend, new Array64([2]))];
      expect(() => losses.pinball(x, target, { levels: [0.1, 0.9] })).toThrow(RangeError);
      expect(() => losses.pinball(x, target, { levels: [0.1, 0.9, 0.5] })).toThrow(/levels\[2\]/);
      expect(() => losses.pinball(x, target, {} as never)).toThrow(TypeError);
    });
  });

  describe('cross-entropy', () => {
    it.each(['mean', 'sum', 'smooth'])('golden values: %s', (which) => {
      const c = golden('losses').case(`cross_entropy_${which}`);
      const target = integersOnDevice(backend, c.integers('target'));
      return checkGolden(c.name, 'logits', (logits) =>
        losses.crossEntropy(logits, target, {
          reduction: which === 'sum' ? 'sum' : 'mean',
          ignoreIndex: settingOf(c, 'ignore_index', -100),
          labelSmoothing: settingOf(c, 'label_smoothing', 0),
        }),
      );
    });

    it.each(REDUCTIONS)('reduction %s, each option and all together', async (reduction) => {
      for (const [rows, classes] of [
        [1, 2],
        [5, 1],
        [33, 10],
        [4, 17],
        [3, 65],
        [2, 257],
        [129, 3],
      ] as const) {
        const logits = random32(1, [rows, classes], -6, 6);
        const classWeights = random32(2, [classes], 0.25, 2);
        const targets = randomIntegers(3, rows, classes);
        for (const options of [
          { reduction },
          { reduction, labelSmoothing: 0.15 },
          { reduction, classWeights },
          { reduction, ignoreIndex: 1 },
          { reduction, labelSmoothing: 0.3, classWeights, ignoreIndex: -100 },
        ]) {
          const withIgnored = targets.map((target, i) => (i % 4 === 3 ? (options.ignoreIndex ?? target) : target));
          if (reduction === 'mean' && withIgnored.every((target) => target === options.ignoreIndex)) continue;
          await checkOperation(backend, `crossEntropy [${rows}, ${classes}] ${JSON.stringify(Object.keys(options))}`, {
            inputs: [logits],
            run: (t) =>
              losses.crossEntropy(t as Tensor, integersOnDevice(backend, withIgnored), {
                ...options,
                ...(options.classWeights && { classWeights: onDevice(backend, options.classWeights) }),
              } as Parameters<typeof losses.crossEntropy>[2]),
            expected: reduced(reference.crossEntropyForward(logits, withIgnored, options), reduction),
            backward: (grad) => [
              reference.crossEntropyBackward(
                logits,
                withIgnored,
                options,
                reduction === 'none' ? grad : grad.reshape(1),
              ),
            ],
            kind: 'accumulated',
          });
        }
      }
    });

    it('large logits do not overflow', async () => {
      const logits = new Array64([2, 3], [1e4, -1e4, 0, 300, 299, 301]);
      const targets = [1, 0];
      await checkOperation(backend, 'crossEntropy', {
        inputs: [logits],
        run: (t) => losses.crossEntropy(t as Tensor, integersOnDevice(backend, targets)),
        expected: reference.crossEntropyForward(logits, targets, { reduction: 'mean' }).reshape(),
        backward: (grad) => [reference.crossEntropyBackward(logits, targets, { reduction: 'mean' }, grad.reshape(1))],
      });
    });

    it('logits [batch, time, classes] take targets [batch, time]', async () => {
      const logits = random32(1, [2, 3, 5]);
      const targets = randomIntegers(2, 6, 5);
      const flat = logits.reshape(6, 5);
      await checkOperation(backend, 'crossEntropy', {
        inputs: [logits],
        run: (t) => losses.crossEntropy(t as Tensor, integersOnDevice(backend, targets, [2, 3])),
        expected: reference.crossEntropyForward(flat, targets, { reduction: 'mean' }).reshape(),
        backward: (grad) => [
          reference.crossEntropyBackward(flat, targets, { reduction: 'mean' }, grad.reshape(1)).reshape(2, 3, 5),
        ],
        kind: 'accumulated',
      });
    });

    it.each([-1, 5])('the target %i is refused when the loss is read', async (target) => {
      const logits = onDevice(backend, random32(1, [2, 5]));
      const loss = losses.crossEntropy(logits, integersOnDevice(backend, [0, target]));
      const error = await loss.item().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(CudnnGruError);
      expect((error as CudnnGruError).code).toBe('ERR_INDEX_OUT_OF_RANGE');
    });
  });

  describe('binary cross-entropy', () => {
    it('golden values', () => {
      const target = onDevice(backend, golden('losses').case('bce_with_logits').get('target'));
      return checkGolden('bce_with_logits', 'logits', (logits) => losses.binaryCrossEntropy(logits, target));
    });

    it.each(REDUCTIONS)('reduction %s', async (reduction) => {
      for (const shape of [
        [1, 1],
        [5, 4],
        [33, 17],
        [2, 257],
        [129, 1],
      ] as const) {
        const columns = shape[1];
        const [logits, target] = [random32(1, shape, -6, 6), random32(2, shape, 0, 1)];
        for (const options of [
          { reduction },
          { reduction, weight: random32(3, [columns], 0.5, 2) },
          { reduction, weight: random32(3, [columns], 0.5, 2), positiveWeight: random32(4, [columns], 1, 3) },
        ]) {
          const { weight, positiveWeight } = options as reference.BinaryCrossEntropyOptions;
          await checkOperation(backend, `binaryCrossEntropy [${shape}]`, {
            inputs: [logits],
            run: (t) =>
              losses.binaryCrossEntropy(t as Tensor, onDevice(backend, target), {
                reduction,
                ...(weight && { weight: onDevice(backend, weight) }),
                ...(positiveWeight && { positiveWeight: onDevice(backend, positiveWeight) }),
              }),
            expected: reduced(reference.binaryCrossEntropyForward(logits, target, options), reduction),
            backward: (grad) => {
              const flat = reduction === 'none' ? grad : grad.reshape(1);
              return [reference.binaryCrossEntropyBackward(logits, target, options, flat)];
            },
            kind: 'accumulated',
          });
        }
      }
    });

    it('large logits do not overflow', async () => {
      const logits = new Array64([2, 3], [1e4, -1e4, 1e30, -90, 90, -1e30]);
      const target = new Array64(
        [2, 3],
        range(6).map((i) => i % 2),
      );
      await checkOperation(backend, 'binaryCrossEntropy', {
        inputs: [logits],
        run: (t) => losses.binaryCrossEntropy(t as Tensor, onDevice(backend, target), { reduction: 'none' }),
        expected: reference.binaryCrossEntropyForward(logits, target, { reduction: 'none' }),
        backward: (grad) => [reference.binaryCrossEntropyBackward(logits, target, { reduction: 'none' }, grad)],
      });
    });
  });
}
