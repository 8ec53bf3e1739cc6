import { item } from './array64.js';

/** The global norm of some gradients, and what a step does with them. */
export interface GradientReport {
  norm: number;
  factor: number; // what every gradient is multiplied by: min(1, clipNorm / (norm + 1e-6))
  firstNonFinite: number; // index of the first gradient that holds a NaN or an infinity, or -1: then the step is skipped
}

export function gradientNorm(gradients: readonly ArrayLike<number>[], clipNorm: number): GradientReport {
  const arrays = gradients.map((gradient) => Array.from(gradient));
  const norm = Math.sqrt(arrays.flat().reduce((sum, g) => sum + g * g, 0));
  return {
    norm,
    factor: clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1,
    firstNonFinite: arrays.findIndex((gradient) => !gradient.every(Number.isFinite)),
  };
}

/** g · factor, limited to ±clipValue when that is above 0. */
export function clipped(gradient: readonly number[], factor: number, clipValue: number): number[] {
  return gradient.map((g) => {
    const scaled = g * factor;
    return clipValue > 0 ? Math.min(Math.max(scaled, -clipValue), clipValue) : scaled;
  });
}

/** One update of one number: `t` counts steps from 1, `state` is the number's own. */
type Rule<Options, State> = (p: number, g: number, t: number, state: State, options: Options) => number;

export interface SgdOptions {
  learningRate: number;
  momentum: number;
  dampening: number;
  nesterov: boolean;
  weightDecay: number;
}

export const sgd: Rule<SgdOptions, { velocity: number }> = (p, gradient, t, state, options) => {
  const { learningRate, momentum, dampening, nesterov, weightDecay } = options;
  const g = gradient + weightDecay * p;
  if (momentum === 0) return p - learningRate * g;
  state.velocity = t === 1 ? g : momentum * state.velocity + (1 - dampening) * g;
  return p - learningRate * (nesterov ? g + momentum * state.velocity : state.velocity);
};

export interface RmspropOptions {
  learningRate: number;
  alpha: number;
  epsilon: number;
  momentum: number;
  centred: boolean;
  weightDecay: number;
}

/** Tieleman and Hinton 2012; centred as in Graves 2013. */
export const rmsprop: Rule<RmspropOptions, { square: number; average: number; velocity: number }> = (
  p,
  gradient,
  _t,
  state,
  options,
) => {
  const { learningRate, alpha, epsilon, momentum, centred, weightDecay } = options;
  const g = gradient + weightDecay * p;
  state.square = alpha * state.square + (1 - alpha) * g * g;
  if (centred) state.average = alpha * state.average + (1 - alpha) * g;
  const update = g / (Math.sqrt(state.square - (centred ? state.average ** 2 : 0)) + epsilon);
  if (momentum === 0) return p - learningRate * update;
  state.velocity = momentum * state.velocity + update;
  return p - learningRate * state.velocity;
};

export interface AdagradOptions {
  learningRate: number;
  learningRateDecay: number;
  epsilon: number;
  weightDecay: number;
}

/** Duchi, Hazan, Singer 2011. */
export const adagrad: Rule<AdagradOptions, { square: number }> = (p, gradient, t, state, options) => {
  const { learningRate, learningRateDecay, epsilon, weightDecay } = options;
  const g = gradient + weightDecay * p;
  state.square += g * g;
  return p - ((learningRate / (1 + (t - 1) * learningRateDecay)) * g) / (Math.sqrt(state.square) + epsilon);
};

export interface AdamOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  decoupled: boolean; // AdamW: the decay goes to the parameter, not to the gradient
  amsgrad: boolean;
}

/** Kingma and Ba 2015; AMSGrad: Reddi, Kale, Kumar 2018; decoupled: Loshchilov and Hutter 2019. */
export const adam: Rule<AdamOptions, { average: number; square: number; maximum: number }> = (
  parameter,
  gradient,
  t,
  state,
  options,
) => {
  const { learningRate, beta1, beta2, epsilon, weightDecay, decoupled, amsgrad } = options;
  const p = decoupled ? parameter * (1 - learningRate * weightDecay) : parameter;
  const g = decoupled ? gradient : gradient + weightDecay * p;
  state.average = beta1 * state.average + (1 - beta1) * g;
  state.square = beta2 * state.square + (1 - beta2) * g * g;
  state.maximum = Math.max(state.maximum, state.square);
  const denominator = Math.sqrt(amsgrad ? state.maximum : state.square) / Math.sqrt(1 - beta2 ** t) + epsilon;
  return p - ((learningRate / (1 - beta1 ** t)) * state.average) / denominator;
};

/** The parameters after each of a list of gradients, every number by the same rule. */
export function trajectory<Options, State>(
  rule: Rule<Options, State>,
  options: Options,
  newState: () => State,
  start: readonly number[],
  gradients: readonly (readonly number[])[],
): number[][] {
  const states = start.map(newState);
  let parameters = [...start];
  return gradients.map((gradient, step) => {
    parameters = parameters.map((p, i) => rule(p, item(gradient, i), step + 1, item(states, i), options));
    return parameters;
  });
}

export const newSgdState = () => ({ velocity: 0 });
export const newRmspropState = () => ({ square: 0, average: 0, velocity: 0 });
export const newAdagradState = () => ({ square: 0 });
export const newAdamState = () => ({ average: 0, square: 0, maximum: 0 });
