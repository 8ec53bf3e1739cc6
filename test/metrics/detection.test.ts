import { expect, test } from 'vitest';
import { metrics } from '../../lib/index.js';

const { averagePrecision, detectionScores, eventScores, precisionRecallCurve, rocAuc } = metrics;

// The numbers expected of these were computed by scikit-learn 1.9.1.
const scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.05, 0.4, 0.7, 0.35];
const labels = [0, 0, 1, 1, 1, 1, 0, 0, 0, 1];

test('ranking: area under the curves, with ties', () => {
  expect(rocAuc(scores, labels)).toBeCloseTo(0.68, 12);
  expect(averagePrecision(scores, labels)).toBeCloseTo(0.75, 12);
  expect(rocAuc([1, 1, 1], [0, 1, 0])).toBe(0.5);
  expect(averagePrecision([1, 1, 1, 1], [0, 1, 0, 0])).toBe(0.25);
  expect(rocAuc([3, 2, 1], [1, 1, 0])).toBe(1);
});

test('the precision-recall curve has one point for each different score', () => {
  const curve = precisionRecallCurve(scores, labels);
  expect(curve.thresholds).toEqual([0.9, 0.8, 0.7, 0.4, 0.35, 0.1, 0.05]);
  expect(curve.precision).toEqual([1, 1, 2 / 3, 0.5, 0.625, 5 / 9, 0.5]);
  expect(curve.recall).toEqual([0.2, 0.4, 0.4, 0.6, 1, 1, 1]);
});

test('steps by themselves, and events as wholes', () => {
  const truth = [0, 1, 1, 1, 0, 0, 1, 0, 1, 1];
  const alarm = [0, 0, 0, 1, 1, 0, 0, 1, 1, 0];
  const steps = detectionScores(alarm, truth);
  expect(steps.precision).toBe(2 / 4);
  expect(steps.recall).toBe(2 / 6);
  expect(steps.f1).toBeCloseTo(0.4, 12);
  expect(eventScores(alarm, truth)).toEqual({
    precision: 1,
    recall: 2 / 3,
    f1: 0.8,
    events: 3,
    found: 2,
    alarms: 2,
    falseAlarms: 0,
  });
});

test('without alarms or without events the ratios are 0', () => {
  expect(detectionScores([0, 0], [0, 1])).toEqual({ precision: 0, recall: 0, f1: 0 });
  expect(eventScores([1, 0], [0, 0])).toMatchObject({ precision: 0, recall: 0, f1: 0, events: 0, falseAlarms: 1 });
});

test('bad input', () => {
  expect(() => rocAuc([1, 2], [1, 1])).toThrow(/labels: expected positive and negative labels/);
  expect(() => rocAuc([1, Number.NaN], [1, 0])).toThrow(/scores\[1\]/);
  expect(() => averagePrecision([1], [0])).toThrow(/at least one positive/);
  expect(() => averagePrecision([1, 2], [1, 2])).toThrow(/labels\[1\]: expected an integer >= 0 and <= 1/);
  expect(() => detectionScores([1], [1, 0])).toThrow(/alarms: expected 2 values/);
});
