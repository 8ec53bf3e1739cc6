import { expect, test } from 'vitest';
import { metrics } from '../../lib/index.js';

const { accuracy, classificationScores, confusionMatrix, fitTemperature, logLoss, reliability } = metrics;

// The numbers expected of these were computed by scikit-learn 1.9.1.
const logits = [
  1.2, 0.45, -0.41, -1.34, 0.52, -1.49, 0.09, 2.01, 0.46, -0.93, 0.73, 1.74, 0.16, -0.2, -0.04, 2.24, -2.02, -0.69,
  -2.85, -1.93, -1.56, -0.35, -0.7, 0.41, 1.44, -0.28, -3.78, 0.39, -0.07, 0.17, -2.3, 0.48, -1.47, -1.21, 1.59, -0.01,
];
const labels = [0, 1, 2, 2, 1, 0, 2, 1, 0, 0, 1, 2];
const softmax = (values: number[], beta = 1) =>
  Array.from({ length: values.length / 3 }, (_, row) => {
    const powers = values.slice(3 * row, 3 * row + 3).map((value) => Math.exp(beta * value));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }).flat();

test('accuracy: highest score against label, ignored labels left out', () => {
  const scores = [0, 1, 0, /**/ 5, 1, 2, /**/ 0, 0, 9, /**/ 1, 1, 0];
  expect(accuracy(scores, [1, 0, 0, 0], 3)).toBe(0.75);
  expect(accuracy(scores, [1, -100, 0, -100], 3)).toBe(0.5);
  expect(accuracy(scores, [-1, -1, -1, 0], 3, -1)).toBe(1);
  expect(accuracy([], [], 3)).toBeNaN();
});

test('confusion matrix and what it says', () => {
  const matrix = confusionMatrix(logits, labels, 3);
  expect([...matrix]).toEqual([4, 0, 0, 1, 2, 1, 0, 2, 2]);
  const scores = classificationScores(matrix);
  expect(scores.accuracy).toBeCloseTo(8 / 12, 12);
  expect(scores.precision).toEqual([0.8, 0.5, 2 / 3]);
  expect(scores.recall).toEqual([1, 0.5, 0.5]);
  expect(scores.macroF1).toBeCloseTo(0.6534391534391534, 12);
  expect(scores.support).toEqual([4, 4, 4]);
});

test('a class that never came and was never predicted scores 0, and ignored labels do not count', () => {
  const scores = classificationScores(confusionMatrix([5, 0, 0, 0, 5, 0], [0, -100], 3));
  expect(scores.f1).toEqual([1, 0, 0]);
  expect(scores.accuracy).toBe(1);
});

test('log loss', () => {
  expect(logLoss(softmax(logits), labels, 3)).toBeCloseTo(0.8153025341856299, 12);
  expect(logLoss([1, 0], [1], 2)).toBe(Number.POSITIVE_INFINITY);
});

test('the temperature is where the log loss is smallest', () => {
  const temperature = fitTemperature(logits, labels, 3);
  expect(temperature).toBeCloseTo(1.133363524549868, 5);
  expect(logLoss(softmax(logits, 1 / temperature), labels, 3)).toBeCloseTo(0.8121379746630272, 10);
});

test('the temperature of logits that always or never tell the label stays within its range', () => {
  // From there on the loss is 0 to the last bit.
  expect(fitTemperature([3, 0, 0, 3], [0, 1], 2)).toBeLessThan(0.1);
  expect(fitTemperature([3, 0, 0, 3], [0, 1], 2)).toBeGreaterThan(Math.exp(-5.01));
  expect(fitTemperature([3, 0, 0, 3], [1, 0], 2)).toBeCloseTo(Math.exp(5), 2);
});

test('reliability: bins hold their upper end', () => {
  const probabilities = [0.6, 0.4, 0.3, 0.7, 0.75, 0.25, 1, 0];
  const {
    confidence,
    accuracy: right,
    counts,
    expectedCalibrationError,
  } = reliability(probabilities, [0, 0, 0, 1], 2, 4);
  expect(counts).toEqual([0, 0, 3, 1]);
  expect(confidence[2]).toBeCloseTo((0.6 + 0.7 + 0.75) / 3, 12);
  expect(right.slice(2)).toEqual([2 / 3, 0]);
  expect(confidence[0]).toBeNaN();
  expect(expectedCalibrationError).toBeCloseTo((Math.abs(2 - 2.05) + 1) / 4, 12);
});

test('bad input', () => {
  expect(() => accuracy([1, 2], [2], 2)).toThrow(/labels\[0\]: expected an integer >= 0 and < 2, got 2/);
  expect(() => accuracy([1, 2, 3], [0], 2)).toThrow(RangeError);
  expect(() => confusionMatrix([1], [0], 0)).toThrow(/classes/);
  expect(() => classificationScores([1, 2])).toThrow(/matrix: expected a square matrix/);
  expect(() => classificationScores([0])).toThrow(/at least one counted example/);
  expect(() => logLoss([1.5, 0], [0], 2)).toThrow(/probabilities\[0\]/);
  expect(() => reliability([1, 0], [0], 2, 0)).toThrow(/bins/);
  expect(() => fitTemperature([], [], 2)).toThrow(/labels/);
});
