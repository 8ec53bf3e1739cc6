import { describe, expect, it } from 'vitest';
import {
  Adagrad,
  Adam,
  AdamW,
  clipGradientNorm,
  clipGradientValue,
  type Optimizer,
  ops,
  RMSprop,
  SGD,
  type Tensor,
} from '../../lib/index.js';
import { Array64, item, range } from '../reference/array64.js';
import { golden, optimizerRuns, settingOf } from '../reference/golden.js';
import * as reference from '../reference/optimizers.js';
import { type Backend, gradientOf, onDevice } from './backend.js';
import { expectClose, expectNear, expectSameBits, ODD_SIZES, random32 } from './checks.js';

type AnyOptimizer = Optimizer<{ learningRate: number; weightDecay: number }>;
type Trajectory = (start: number[], gradients: number[][]) => number[][];

interface Rule {
  make: (parameters: Tensor[], clipping?: { clipNorm?: number; clipValue?: number }) => AnyOptimizer;
  expected: Trajectory;
}

/** Gives leaves the gradients that the test wants: those of Σ gradient · leaf. */
function giveGradients(backend: Backend, leaves: readonly Tensor[], gradients: readonly Array64[]): void {
  for (const [i, leaf] of leaves.entries()) {
    leaf.grad?.dispose();
    leaf.grad = null;
    ops.sum(ops.mul(leaf, onDevice(backend, item(gradients, i)))).backward();
  }
}

/** Updates of parameters. */
export function run(backend: Backend): void {
  describe('golden trajectories', () => {
    const { start, gradients, trajectory } = optimizerRuns();
    const file = golden('optimizers');
    const lr = (name: string) => settingOf(file.case(name), 'lr', 0);
    const optimizers: Record<string, (parameters: Tensor[]) => AnyOptimizer> = {
      sgd: (p) => new SGD(p, { learningRate: lr('sgd') }),
      sgd_momentum: (p) => new SGD(p, { learningRate: lr('sgd_momentum'), momentum: 0.9, weightDecay: 0.01 }),
      sgd_nesterov: (p) => new SGD(p, { learningRate: lr('sgd_nesterov'), momentum: 0.9, nesterov: true }),
      rmsprop: (p) => new RMSprop(p, { learningRate: lr('rmsprop'), alpha: 0.95 }),
      rmsprop_momentum_centered: (p) => new RMSprop(p, { momentum: 0.9, centered: true }),
      adagrad: (p) => new Adagrad(p, { learningRate: lr('adagrad') }),
      adam: (p) => new Adam(p, { learningRate: lr('adam') }),
      adam_l2: (p) => new Adam(p, { learningRate: lr('adam_l2'), weightDecay: 0.1 }),
      adamw: (p) => new AdamW(p, { learningRate: lr('adamw'), weightDecay: 0.1 }),
      adam_amsgrad: (p) => new Adam(p, { learningRate: lr('adam_amsgrad'), amsgrad: true }),
    };
    it.each(Object.keys(optimizers))('%s', async (name) => {
      const parameter = onDevice(backend, new Array64([start.length], start), true);
      const optimizer = (optimizers[name] as (p: Tensor[]) => AnyOptimizer)([parameter]);
      for (const [step, expected] of trajectory(name).entries()) {
        giveGradients(backend, [parameter], [new Array64([start.length], item(gradients, step))]);
        await optimizer.step();
        expectNear(await parameter.data(), new Array64([start.length], expected), 'accumulated', `step ${step + 1}`);
      }
      expect((await optimizer.report()).steps).toBe(gradients.length);
    });

    it('clipping by the global norm', async () => {
      const c = file.case('clip_norm');
      const leaves = [onDevice(backend, new Array64([5, 3]), true), onDevice(backend, new Array64([4]), true)];
      giveGradients(backend, leaves, [c.get('grad0'), c.get('grad1')]);
      const norm = clipGradientNorm(leaves, settingOf(c, 'max_norm', 0));
      expectNear(await norm.data(), c.get('total'), 'elementwise', 'norm');
      for (const [i, leaf] of leaves.entries()) {
        expectNear(await gradientOf(leaf, `grad${i}`), c.get(`clipped${i}`), 'elementwise', `clipped${i}`);
      }
    });
  });

  const adamOptions = { learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.05 };
  const rules: Record<string, Rule> = {
    'SGD with dampening': {
      make: (p, clipping) =>
        new SGD(p, { learningRate: 0.05, momentum: 0.8, dampening: 0.3, weightDecay: 0.1, ...clipping }),
      expected: (start, gradients) => {
        const options = { learningRate: 0.05, momentum: 0.8, dampening: 0.3, nesterov: false, weightDecay: 0.1 };
        return reference.trajectory(reference.sgd, options, reference.newSgdState, start, gradients);
      },
    },
    'RMSprop, centred, with momentum': {
      make: (p, clipping) =>
        new RMSprop(p, { alpha: 0.9, epsilon: 1e-4, momentum: 0.5, centered: true, weightDecay: 0.1, ...clipping }),
      expected: (start, gradients) => {
        const options = {
          learningRate: 0.01,
          alpha: 0.9,
          epsilon: 1e-4,
          momentum: 0.5,
          centred: true,
          weightDecay: 0.1,
        };
        return reference.trajectory(reference.rmsprop, options, reference.newRmspropState, start, gradients);
      },
    },
    'Adagrad with decay': {
      make: (p, clipping) =>
        new Adagrad(p, { learningRate: 0.1, learningRateDecay: 0.2, weightDecay: 0.1, ...clipping }),
      expected: (start, gradients) => {
        const options = { learningRate: 0.1, learningRateDecay: 0.2, epsilon: 1e-10, weightDecay: 0.1 };
        return reference.trajectory(reference.adagrad, options, reference.newAdagradState, start, gradients);
      },
    },
    'Adam, AMSGrad': {
      make: (p, clipping) => new Adam(p, { ...adamOptions, amsgrad: true, ...clipping }),
      expected: (start, gradients) => {
        const options = { ...adamOptions, amsgrad: true, decoupled: false };
        return reference.trajectory(reference.adam, options, reference.newAdamState, start, gradients);
      },
    },
    AdamW: {
      make: (p, clipping) => new AdamW(p, { ...adamOptions, ...clipping }),
      expected: (start, gradients) => {
        const options = { ...adamOptions, amsgrad: false, decoupled: true };
        return reference.trajectory(reference.adam, options, reference.newAdamState, start, gradients);
      },
    },
  };

  describe.each(Object.keys(rules))('%s', (name) => {
    const rule = rules[name] as Rule;
    const steps = 5;
    const shapes = [[1], [3, 5], ...ODD_SIZES.map((size) => [size]), [70, 90]];
    const drawn = (step: number) => shapes.map((shape, i) => random32(100 * step + i, shape, -2, 2));

    it('many parameters of odd sizes in one step, with both clippings', async () => {
      for (const clipping of [{}, { clipNorm: 30 }, { clipValue: 0.8 }, { clipNorm: 30, clipValue: 0.4 }]) {
        const starts = drawn(50);
        const leaves = starts.map((start) => onDevice(backend, start, true));
        const optimizer = rule.make(leaves, clipping);
        const clipped: number[][][] = shapes.map(() => []);
        for (const step of range(steps)) {
          const gradients = drawn(step);
          giveGradients(backend, leaves, gradients);
          await optimizer.step();
          const report = reference.gradientNorm(
            gradients.map((gradient) => gradient.data),
            clipping.clipNorm ?? 0,
          );
          for (const [i, gradient] of gradients.entries()) {
            item(clipped, i).push(reference.clipped([...gradient.data], report.factor, clipping.clipValue ?? 0));
          }
          const { gradientNorm } = await optimizer.report();
          expectClose([gradientNorm], [report.norm], { relative: 1e-6, absolute: 0 }, 'norm');
        }
        for (const [i, leaf] of leaves.entries()) {
          const expected = rule.expected([...item(starts, i).data], item(clipped, i)).at(-1) as number[];
          const label = `${name} ${JSON.stringify(clipping)}, parameter ${i}`;
          expectNear(await leaf.data(), new Array64([expected.length], expected), 'accumulated', label);
        }
      }
    });

    it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
      'a gradient that holds %f: the step is skipped, counted and located, the next one is as if it had not been',
      async (bad) => {
        const starts = drawn(51).slice(0, 4);
        const leaves = starts.map((start) => onDevice(backend, start, true));
        const optimizer = rule.make(leaves, { clipNorm: 5 });
        const untouched = starts.map((start) => onDevice(backend, start, true));
        const other = rule.make(untouched, { clipNorm: 5 });
        const soiled = drawn(2).slice(0, 4);
        soiled[2]?.set(bad, 16);
        for (const gradients of [drawn(1).slice(0, 4), soiled, drawn(3).slice(0, 4)]) {
          giveGradients(backend, leaves, gradients);
          await optimizer.step();
          if (gradients !== soiled) {
            giveGradients(backend, untouched, gradients);
            await other.step();
          } else {
            const report = await optimizer.report();
            expect(report).toMatchObject({ steps: 1, skipped: 1, nonFinite: { group: 0, parameter: 2 } });
          }
          for (const [i, leaf] of leaves.entries()) {
            expectSameBits(await leaf.data(), await item(untouched, i).data(), `parameter ${i}`);
          }
        }
        expect(await optimizer.report()).toMatchObject({ steps: 2, skipped: 1, nonFinite: null });
      },
    );

    it('a state saved and loaded goes on with the same bits', async () => {
      const starts = drawn(52).slice(0, 4);
      const leaves = starts.map((start) => onDevice(backend, start, true));
      const optimizer = rule.make(leaves);
      for (const step of range(2)) {
        giveGradients(backend, leaves, drawn(step).slice(0, 4));
        await optimizer.step();
      }
      const copies: Tensor[] = [];
      for (const [i, leaf] of leaves.entries()) {
        copies.push(onDevice(backend, new Array64(item(starts, i).shape, await leaf.data()), true));
      }
      const resumed = rule.make(copies);
      resumed.loadState(await optimizer.state());
      for (const step of [2, 3]) {
        for (const [parameters, its] of [
          [leaves, optimizer],
          [copies, resumed],
        ] as const) {
          giveGradients(backend, parameters, drawn(step).slice(0, 4));
          await its.step();
        }
      }
      for (const [i, leaf] of leaves.entries()) {
        expectSameBits(await item(copies, i).data(), await leaf.data(), `parameter ${i}`);
      }
    });
  });

  it('finite gradients whose norm overflows float32 are not skipped', async () => {
    const leaf = onDevice(backend, new Array64([33]), true);
    const optimizer = new SGD([leaf], { learningRate: 1, clipNorm: 1 });
    giveGradients(backend, [leaf], [new Array64([33], new Float32Array(33).fill(3e38))]);
    await optimizer.step();
    expect(await optimizer.report()).toMatchObject({ steps: 1, skipped: 0, nonFinite: null });
    const each = new Array64([33], new Array(33).fill(-1 / Math.sqrt(33)));
    expectNear(await leaf.data(), each, 'accumulated', 'parameter');
  });

  it.each([
    ['norm', clipGradientNorm, [1, -2, 3, 4].map((g) => (0.5 * g) / Math.sqrt(60))],
    ['value', clipGradientValue, [0.5, -0.5, 0.5, 0.5]],
  ])('gradients that share their memory are clipped once each, by %s', async (_, clip, expected) => {
    const leaves = range(2).map(() => onDevice(backend, new Array64([4]), true));
    const given = onDevice(backend, new Array64([4], [1, -2, 3, 4]));
    ops.add(item(leaves, 0), item(leaves, 1)).backward(given);
    clip(leaves, 0.5);
    for (const leaf of leaves) {
      expectClose(await gradientOf(leaf, 'gradient'), expected, { relative: 1e-5, absolute: 0 }, 'gradient');
    }
    expectSameBits(await given.data(), [1, -2, 3, 4], 'the gradient that backward() was given');
  });

  it('groups have settings of their own, and parameters without a gradient are left alone', async () => {
    const leaves = range(3).map(() => onDevice(backend, new Array64([5]), true));
    const [fast, slow, idle] = leaves as [Tensor, Tensor, Tensor];
    const optimizer = new SGD([
      { parameters: [fast, idle], learningRate: 1 },
      { parameters: [slow], learningRate: 0.25 },
    ]);
    const ones = new Array64([5], [1, 1, 1, 1, 1]);
    giveGradients(backend, [fast, slow], [ones, ones]);
    await optimizer.step();
    expect([...(await fast.data())]).toEqual([-1, -1, -1, -1, -1]);
    expect([...(await slow.data())]).toEqual([-0.25, -0.25, -0.25, -0.25, -0.25]);
    expect([...(await idle.data())]).toEqual([0, 0, 0, 0, 0]);
  });
}
