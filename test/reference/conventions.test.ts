import { describe, expect, it } from 'vitest';
import { type Array64, item } from './array64.js';
import { randomArray } from './central_difference.js';
import { gruForward } from './gru.js';
import type { CellWeights } from './gru_cell.js';
import { dropout } from './layers.js';
import * as optimizers from './optimizers.js';

// Conventions that no golden case holds, worked by hand.

describe('optimizers', () => {
  it('SGD: the first velocity is the whole gradient, dampening begins with the second', () => {
    const options = { learningRate: 0.5, momentum: 0.5, dampening: 0.5, nesterov: false, weightDecay: 0 };
    const steps = optimizers.trajectory(optimizers.sgd, options, optimizers.newSgdState, [0], [[1], [1]]);
    expect(steps).toEqual([[-0.5], [-1]]); // velocities 1 and 0.5 · 1 + 0.5 · 1
  });

  it('Adagrad: the learning rate of the first step has not decayed', () => {
    const options = { learningRate: 1, learningRateDecay: 1, epsilon: 0, weightDecay: 0 };
    const steps = optimizers.trajectory(optimizers.adagrad, options, optimizers.newAdagradState, [0], [[1], [1]]);
    expect(steps).toEqual([[-1], [-1 - 0.5 / Math.sqrt(2)]]);
  });

  it('RMSprop: weight decay enters the gradient before its square', () => {
    const options = { learningRate: 0.5, alpha: 0.75, epsilon: 0, momentum: 0, centred: false, weightDecay: 1 };
    const steps = optimizers.trajectory(optimizers.rmsprop, options, optimizers.newRmspropState, [2], [[-1]]);
    expect(steps).toEqual([[1]]); // g = -1 + 2 = 1, s = 1 / 4, 2 - 0.5 · 1 / sqrt(1 / 4)
  });

  it('clipping divides by the norm plus 1e-6', () => {
    expect(optimizers.gradientNorm([[1e-6]], 1e-6).factor).toBeCloseTo(0.5, 12);
    expect(optimizers.gradientNorm([[3], [4]], 5).factor).toBeLessThan(1);
    expect(optimizers.gradientNorm([[3], [4]], 0).factor).toBe(1);
  });
});

describe('gru: dropout between layers', () => {
  it('each layer draws from a stream of its own, in whole blocks of four', () => {
    const [time, batch, size] = [3, 1, 3]; // 9 elements a layer: 3 blocks
    const cell = (seed: number): CellWeights => ({
      weightIh: randomArray(seed, [3 * size, size]),
      weightHh: randomArray(seed + 1, [3 * size, size]),
      biasIh: null,
      biasHh: null,
    });
    const weights = [cell(10), cell(20), cell(30)];
    const [probability, seed, offset] = [0.5, 5, 9];
    const shared = { initialHidden: null, directions: 1 as const, resetBefore: false, lengths: null };
    const x = randomArray(1, [time, batch, size]);
    const stack = gruForward({ x, weights, ...shared, dropout: { probability, seed, offset } });

    let input: Array64 = x;
    for (const [layer, blocks] of [0, 3, 6].entries()) {
      const { output } = gruForward({ x: input, weights: [item(weights, layer)], ...shared, dropout: null });
      if (layer === 2) expect([...stack.output.data]).toEqual([...output.data]);
      input = dropout(output, probability, { seed, offset: offset + blocks });
    }
  });
});
