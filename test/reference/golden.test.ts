import { describe, expect, it } from 'vitest';
import { Array64, item, range } from './array64.js';
import { attentionBackward, attentionForward, scores } from './attention.js';
import { relativeError } from './central_difference.js';
import { ctcBackward, ctcForward } from './ctc.js';
import { type GruCase, golden, optimizerRuns, resetAfterCases, resetBeforeCases, settingOf } from './golden.js';
import { gruBackward, gruForward } from './gru.js';
import * as layers from './layers.js';
import * as losses from './losses.js';
import * as optimizers from './optimizers.js';

// The golden values were rounded to float32, inputs and results alike.
const FLOAT32 = 2e-6;

function expectAgreement(actual: Array64, expected: Array64, what: string): void {
  expect(relativeError(actual, expected), what).toBeLessThan(FLOAT32);
}

function checkGru(golden: GruCase): void {
  const result = gruForward(golden.problem);
  expectAgreement(result.output, golden.output, 'output');
  if (golden.hidden !== null) expectAgreement(result.hidden, golden.hidden, 'hidden');
  const grads = gruBackward(golden.problem, result, golden.outputGrad, golden.hiddenGrad);
  expectAgreement(grads.x, golden.xGrad, 'gradient of x');
  expectAgreement(grads.initialHidden, golden.initialHiddenGrad, 'gradient of the initial state');
  for (const [cell, expected] of golden.weightGrads.entries()) {
    for (const parameter of ['weightIh', 'weightHh', 'biasIh', 'biasHh'] as const) {
      const [actual, wanted] = [item(grads.weights, cell)[parameter], expected[parameter]];
      expect(actual === null).toBe(wanted === null);
      if (actual && wanted) expectAgreement(actual, wanted, `gradient of ${parameter}, cell ${cell}`);
    }
  }
}

describe('the references agree with the golden values', () => {
  it.each(resetAfterCases().map((c) => [c.name, c] as const))('gru, reset after: %s', (_, c) => checkGru(c));
  it.each(resetBeforeCases().map((c) => [c.name, c] as const))('gru, reset before: %s', (_, c) => checkGru(c));

  it('linear', () => {
    const c = golden('layers').case('linear');
    const [x, weight] = [c.get('x'), c.get('weight')];
    expectAgreement(layers.linearForward(x, weight, c.get('bias')), c.get('y'), 'y');
    const grads = layers.linearBackward(x, weight, c.get('dy'));
    expectAgreement(grads.x, c.get('grad.x'), 'gradient of x');
    expectAgreement(grads.weight, c.get('grad.weight'), 'gradient of weight');
    expectAgreement(grads.bias, c.get('grad.bias'), 'gradient of bias');
  });

  it('layer norm', () => {
    const c = golden('layers').case('layer_norm');
    const [x, weight, epsilon] = [c.get('x'), c.get('weight'), settingOf(c, 'eps', 1e-5)];
    expectAgreement(layers.layerNormForward(x, weight, c.get('bias'), epsilon), c.get('y'), 'y');
    const grads = layers.layerNormBackward(x, weight, epsilon, c.get('dy'));
    expectAgreement(grads.x, c.get('grad.x'), 'gradient of x');
    expectAgreement(grads.weight, c.get('grad.weight'), 'gradient of weight');
    expectAgreement(grads.bias, c.get('grad.bias'), 'gradient of bias');
  });

  it('embedding', () => {
    const c = golden('layers').case('embedding');
    const [ids, weight, yGrad] = [c.integers('ids'), c.get('weight'), c.get('dy').reshape(24, 5)];
    expectAgreement(layers.embeddingForward(ids, weight), c.get('y'), 'y');
    const paddingIndex = settingOf(c, 'padding_idx', -1);
    expectAgreement(layers.embeddingBackward(ids, weight, paddingIndex, yGrad), c.get('grad.weight'), 'gradient');
  });

  it('dot attention', () => {
    const c = golden('layers').case('dot_attention');
    const [q, k, v] = [c.get('q'), c.get('k'), c.get('v')];
    const mask = c.get('mask');
    const lengths = range(mask.size(0)).map((b) => range(mask.size(2)).filter((t) => mask.at(b, 0, t) === 1).length);
    const scale = new Array64([1], [1 / Math.sqrt(q.size(2))]);
    expectAgreement(attentionForward(scores.dot, q, k, v, scale, lengths), c.get('y'), 'y');
    const grads = attentionBackward(scores.dot, q, k, v, scale, lengths, c.get('dy'));
    for (const [i, name] of ['q', 'k', 'v'].entries())
      expectAgreement(item(grads, i), c.get(`grad.${name}`), `gradient of ${name}`);
  });

  const one = new Array64([1], [1]);

  it.each(['mean', 'sum', 'smooth'])('cross-entropy: %s', (which) => {
    const c = golden('losses').case(`cross_entropy_${which}`);
    const options = {
      reduction: which === 'sum' ? ('sum' as const) : ('mean' as const),
      ignoreIndex: settingOf(c, 'ignore_index', -100),
      labelSmoothing: settingOf(c, 'label_smoothing', 0),
    };
    const [logits, target] = [c.get('logits'), c.integers('target')];
    expectAgreement(losses.crossEntropyForward(logits, target, options), c.get('loss'), 'loss');
    expectAgreement(losses.crossEntropyBackward(logits, target, options, one), c.get('grad.logits'), 'gradient');
  });

  it.each(['ctc0', 'ctc1'])('connectionist temporal classification: %s', (name) => {
    const c = golden('losses').case(name);
    const [target, lengths] = [c.get('target'), c.integers('target_lengths')];
    const targets = lengths.map((length, b) => range(length).map((i) => target.at(b, i)));
    const problem = { logits: c.get('logits'), targets, inputLengths: c.integers('input_lengths'), blank: 0 };
    const options = { reduction: 'mean', zeroInfinity: true } as const;
    expectAgreement(ctcForward({ ...problem, ...options }), c.get('loss'), 'loss');
    expectAgreement(ctcBackward({ ...problem, ...options }, one), c.get('grad.logits'), 'gradient');
  });

  it('binary cross-entropy', () => {
    const c = golden('losses').case('bce_with_logits');
    const [logits, target, options] = [c.get('logits'), c.get('target'), { reduction: 'mean' as const }];
    expectAgreement(losses.binaryCrossEntropyForward(logits, target, options), c.get('loss'), 'loss');
    const grad = losses.binaryCrossEntropyBackward(logits, target, options, one);
    expectAgreement(grad, c.get('grad.logits'), 'gradient');
  });

  it.each([
    ['mse', 'mse'],
    ['mae', 'l1'],
    ['huber', 'huber'],
  ] as const)('%s', (name, goldenName) => {
    const c = golden('losses').case(goldenName);
    const [x, target, delta] = [c.get('input'), c.get('target'), settingOf(c, 'delta', 1)];
    expectAgreement(losses.regressionForward(name, x, target, 'mean', delta), c.get('loss'), 'loss');
    const grad = losses.regressionBackward(name, x, target, 'mean', one, delta);
    expectAgreement(grad, c.get('grad.input'), 'gradient');
  });
});

describe('the optimizers follow the golden trajectories', () => {
  const { start, gradients, trajectory } = optimizerRuns();
  const file = golden('optimizers');

  function expectTrajectory(name: string, actual: number[][]): void {
    const shape = [actual.length, start.length];
    expectAgreement(new Array64(shape, actual.flat()), new Array64(shape, trajectory(name).flat()), name);
  }

  it.each(['sgd', 'sgd_momentum', 'sgd_nesterov'])('%s', (name) => {
    const c = file.case(name);
    const options = {
      learningRate: settingOf(c, 'lr', 1e-3),
      momentum: settingOf(c, 'momentum', 0),
      dampening: 0,
      nesterov: c.settings.nesterov === true,
      weightDecay: settingOf(c, 'weight_decay', 0),
    };
    expectTrajectory(name, optimizers.trajectory(optimizers.sgd, options, optimizers.newSgdState, start, gradients));
  });

  it.each(['rmsprop', 'rmsprop_momentum_centered'])('%s', (name) => {
    const c = file.case(name);
    const options = {
      learningRate: settingOf(c, 'lr', 1e-2),
      alpha: settingOf(c, 'alpha', 0.99),
      epsilon: settingOf(c, 'eps', 1e-8),
      momentum: settingOf(c, 'momentum', 0),
      centred: c.settings.centered === true,
      weightDecay: 0,
    };
    expectTrajectory(
      name,
      optimizers.trajectory(optimizers.rmsprop, options, optimizers.newRmspropState, start, gradients),
    );
  });

  it('adagrad', () => {
    const options = { learningRate: 0.1, learningRateDecay: 0, epsilon: 1e-10, weightDecay: 0 };
    expectTrajectory(
      'adagrad',
      optimizers.trajectory(optimizers.adagrad, options, optimizers.newAdagradState, start, gradients),
    );
  });

  it.each(['adam', 'adam_l2', 'adamw', 'adam_amsgrad'])('%s', (name) => {
    const c = file.case(name);
    const options = {
      learningRate: settingOf(c, 'lr', 1e-3),
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: settingOf(c, 'weight_decay', 0),
      decoupled: name === 'adamw',
      amsgrad: c.settings.amsgrad === true,
    };
    expectTrajectory(name, optimizers.trajectory(optimizers.adam, options, optimizers.newAdamState, start, gradients));
  });

  it('clipping by the global norm', () => {
    const c = file.case('clip_norm');
    const parts = [c.get('grad0'), c.get('grad1')];
    const report = optimizers.gradientNorm(
      parts.map((part) => part.data),
      settingOf(c, 'max_norm', 0),
    );
    expectAgreement(new Array64([1], [report.norm]), c.get('total'), 'norm');
    expect(report.firstNonFinite).toBe(-1);
    for (const [i, part] of parts.entries()) {
      const actual = new Array64(part.shape, optimizers.clipped([...part.data], report.factor, 0));
      expectAgreement(actual, c.get(`clipped${i}`), `clipped${i}`);
    }
  });

  it('a NaN or an infinity is found, and a large finite norm is not mistaken for one', () => {
    expect(
      optimizers.gradientNorm(
        [
          [1, 2],
          [3, Number.NaN],
        ],
        0,
      ).firstNonFinite,
    ).toBe(1);
    expect(optimizers.gradientNorm([[Number.NEGATIVE_INFINITY]], 0).firstNonFinite).toBe(0);
    expect(optimizers.gradientNorm([[3e38], [3e38]], 0).firstNonFinite).toBe(-1);
    expect(optimizers.clipped([-3, 0.5, 3], 2, 1.5)).toEqual([-1.5, 1, 1.5]);
  });
});
