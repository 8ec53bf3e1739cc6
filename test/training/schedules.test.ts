import { describe, expect, it } from 'vitest';
import { schedules } from '../../lib/index.js';

const { cosine, linearWarmup, oneCycle, reduceOnPlateau, stepDecay } = schedules;

// Values of PyTorch 2.11's schedulers, with an initial rate of 1.
describe('learning-rate schedules', () => {
  it('stepDecay', () => {
    const factor = stepDecay({ every: 3, factor: 0.5 });
    expect([0, 1, 2, 3, 5, 6, 9].map(factor)).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.125]);
  });

  it('cosine', () => {
    const factor = cosine({ steps: 10, floor: 0.1 });
    expect(factor(0)).toBe(1);
    expect(factor(5)).toBeCloseTo(0.55, 12);
    expect(factor(10)).toBeCloseTo(0.1, 12);
    expect(factor(99)).toBeCloseTo(0.1, 12);
  });

  it('linearWarmup, then what follows', () => {
    const factor = linearWarmup({ steps: 4, after: (step) => 1 / (1 + step) });
    expect([0, 1, 2, 3, 4, 5].map(factor)).toEqual([0.25, 0.5, 0.75, 1, 1, 0.5]);
  });

  it('oneCycle', () => {
    const factor = oneCycle({ steps: 101, rise: 0.3 });
    expect(factor(0)).toBeCloseTo(1 / 25, 12);
    expect(factor(15)).toBeCloseTo((1 + 1 / 25) / 2, 12);
    expect(factor(30)).toBe(1);
    expect(factor(100)).toBeCloseTo(1 / 25 / 1e4, 12);
  });

  it('reduceOnPlateau waits for patience, counts relative improvements, and its state can be carried on', () => {
    const plateau = reduceOnPlateau({ factor: 0.5, patience: 1, threshold: 0.1 });
    expect([10, 9.5, 8, 7.9, 7.8, 7.7, 7.6, 1].map((metric) => plateau.update(metric))).toEqual([
      1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25,
    ]);
    const other = reduceOnPlateau({ factor: 0.5, patience: 1, threshold: 0.1 });
    other.restore(plateau.state());
    expect(other.update(2)).toBe(plateau.update(2));
  });

  it('refuse what cannot be', () => {
    expect(() => stepDecay({ every: 0 })).toThrow(RangeError);
    expect(() => cosine({ steps: 10, floor: 2 })).toThrow(/floor/);
    expect(() => oneCycle({ steps: 10, rise: 1 })).toThrow(/rise/);
    expect(() => reduceOnPlateau({ patince: 1 } as never)).toThrow(/patience/);
  });
});
