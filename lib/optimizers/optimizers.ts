import { checkBoolean, checkNumber, checkOptions, wrongRange } from '../arguments.js';
import type { Handles } from '../native/addon.js';
import { addon } from '../native/load.js';
import type { Tensor } from '../tensor/tensor.js';
import { Optimizer, type OptimizerOptions, type ParameterGroup } from './optimizer.js';

/** Tensors, or groups of them. */
type Parameters<O> = Iterable<Tensor> | readonly ParameterGroup<O>[];
type Shared = readonly [clipValue: number, norm: number, counts: number, parameters: Handles, gradients: Handles];

const sharedNames = ['learningRate', 'weightDecay', 'clipNorm', 'clipValue'];

// One group's settings: its own, else the optimizer's, else the default.
function reader(options: object, own: object, names: readonly string[]) {
  checkOptions(options, 'options', [...sharedNames, ...names]);
  checkOptions(own, 'group options', ['learningRate', 'weightDecay', ...names]);
  const merged: Record<string, unknown> = { ...options, ...own };
  return {
    number: (name: string, fallback: number, bounds: { min?: number; below?: number; above?: number } = { min: 0 }) =>
      checkNumber(merged[name] ?? fallback, name, bounds),
    flag: (name: string) => checkBoolean(merged[name] ?? false, name),
  };
}

function device(parameters: readonly Tensor[]): number {
  return (parameters[0] as Tensor).on.index;
}

interface Settings {
  learningRate: number;
  weightDecay: number;
}

export interface SGDOptions extends OptimizerOptions {
  /** Default: 0. */
  momentum?: number;
  /** Default: 0. */
  dampening?: number;
  /** Nesterov's momentum. Default: false. */
  nesterov?: boolean;
}

type SGDSettings = Settings & { momentum: number; dampening: number; nesterov: boolean };

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD: v = momentum v + (1 - dampening) g, p -= learningRate v (Nesterov:
 * p -= learningRate (g + momentum v)). Default learningRate: 0.001.
 *
 * @throws TypeError, RangeError
 */
export class SGD extends Optimizer<SGDSettings> {
  constructor(parameters: Parameters<SGDSettings>, options: SGDOptions = {}) {
    super(parameters, options, (own) => {
      const read = reader(options, own, ['momentum', 'dampening', 'nesterov']);
      const settings = {
        learningRate: read.number('learningRate', 1e-3),
        weightDecay: read.number('weightDecay', 0),
        momentum: read.number('momentum', 0),
        dampening: read.number('dampening', 0),
        nesterov: read.flag('nesterov'),
      };
      if (settings.nesterov && (settings.momentum === 0 || settings.dampening !== 0)) {
        throw wrongRange('nesterov', 'a momentum above 0 and no dampening with it', settings.momentum);
      }
      return settings;
    });
  }

  protected override update(
    o: SGDSettings,
    [clipValue, norm, counts, handles, gradients]: Shared,
    parameters: readonly Tensor[],
  ): number {
    const velocities = o.momentum > 0 ? this.memory('velocity', parameters) : null;
    return addon.sgd(
      device(parameters),
      o.learningRate,
      o.weightDecay,
      clipValue,
      norm,
      counts,
      handles,
      gradients,
      o.momentum,
      o.dampening,
      o.nesterov,
      velocities,
    );
  }
}

export interface RMSpropOptions extends OptimizerOptions {
  /** How slowly the mean square forgets. Default: 0.99. */
  alpha?: number;
  /** Default: 1e-8. */
  epsilon?: number;
  /** Default: 0. */
  momentum?: number;
  /** Divide by the standard deviation instead of the root mean square (Graves 2013). Default: false. */
  centered?: boolean;
}

type RMSpropSettings = Settings & { alpha: number; epsilon: number; momentum: number; centered: boolean };

/**
 * RMSprop, as torch.optim.RMSprop: s = alpha s + (1 - alpha) g², p -= learningRate g / (√s + epsilon). Default learningRate: 0.01.
 *
 * @throws TypeError, RangeError
 */
export class RMSprop extends Optimizer<RMSpropSettings> {
  constructor(parameters: Parameters<RMSpropSettings>, options: RMSpropOptions = {}) {
    super(parameters, options, (own) => {
      const read = reader(options, own, ['alpha', 'epsilon', 'momentum', 'centered']);
      return {
        learningRate: read.number('learningRate', 1e-2),
        weightDecay: read.number('weightDecay', 0),
        alpha: read.number('alpha', 0.99, { min: 0, below: 1 }),
        epsilon: read.number('epsilon', 1e-8),
        momentum: read.number('momentum', 0),
        centered: read.flag('centered'),
      };
    });
  }

  protected override update(
    o: RMSpropSettings,
    [clipValue, norm, counts, handles, gradients]: Shared,
    parameters: readonly Tensor[],
  ): number {
    return addon.rmsprop(
      device(parameters),
      o.learningRate,
      o.weightDecay,
      clipValue,
      norm,
      counts,
      handles,
      gradients,
      o.alpha,
      o.epsilon,
      o.momentum,
      this.memory('square', parameters),
      o.centered ? this.memory('average', parameters) : null,
      o.momentum > 0 ? this.memory('velocity', parameters) : null,
    );
  }
}

export interface AdagradOptions extends OptimizerOptions {
  /** Default: 0. */
  learningRateDecay?: number;
  /** Default: 1e-10. */
  epsilon?: number;
}

type AdagradSettings = Settings & { learningRateDecay: number; epsilon: number };

/**
 * Adagrad (Duchi et al. 2011), as torch.optim.Adagrad: s += g², p -= learningRate / (1 + (t - 1) learningRateDecay) g / (√s + epsilon).
 * Default learningRate: 0.01.
 *
 * @throws TypeError, RangeError
 */
export class Adagrad extends Optimizer<AdagradSettings> {
  constructor(parameters: Parameters<AdagradSettings>, options: AdagradOptions = {}) {
    super(parameters, options, (own) => {
      const read = reader(options, own, ['learningRateDecay', 'epsilon']);
      return {
        learningRate: read.number('learningRate', 1e-2),
        weightDecay: read.number('weightDecay', 0),
        learningRateDecay: read.number('learningRateDecay', 0),
        epsilon: read.number('epsilon', 1e-10),
      };
    });
  }

  protected override update(
    o: AdagradSettings,
    [clipValue, norm, counts, handles, gradients]: Shared,
    parameters: readonly Tensor[],
  ): number {
    return addon.adagrad(
      device(parameters),
      o.learningRate,
      o.weightDecay,
      clipValue,
      norm,
      counts,
      handles,
      gradients,
      o.learningRateDecay,
      o.epsilon,
      this.memory('square', parameters),
    );
  }
}

export interface AdamOptions extends OptimizerOptions {
  /** How slowly the mean forgets. Default: 0.9. */
  beta1?: number;
  /** How slowly the mean square forgets. Default: 0.999. */
  beta2?: number;
  /** Default: 1e-8. */
  epsilon?: number;
  /** Divide by the largest mean square so far (Reddi et al. 2018). Default: false. */
  amsgrad?: boolean;
}

type AdamSettings = Settings & { beta1: number; beta2: number; epsilon: number; amsgrad: boolean };

/**
 * Adam (Kingma & Ba 2015), as torch.optim.Adam: m = beta1 m + (1 - beta1) g, s = beta2 s + (1 - beta2) g²,
 * p -= learningRate m̂ / (√ŝ + epsilon) with m̂ = m / (1 - beta1ᵗ), ŝ = s / (1 - beta2ᵗ). Default learningRate: 0.001.
 *
 * @throws TypeError, RangeError
 */
export class Adam extends Optimizer<AdamSettings> {
  /** Whether the weight decay is taken off the parameter instead of being added to the gradient. */
  protected readonly decoupled: boolean = false;

  constructor(parameters: Parameters<AdamSettings>, options: AdamOptions = {}) {
    super(parameters, options, (own) => {
      const read = reader(options, own, ['beta1', 'beta2', 'epsilon', 'amsgrad']);
      return {
        learningRate: read.number('learningRate', 1e-3),
        weightDecay: read.number('weightDecay', 0),
        beta1: read.number('beta1', 0.9, { min: 0, below: 1 }),
        beta2: read.number('beta2', 0.999, { min: 0, below: 1 }),
        epsilon: read.number('epsilon', 1e-8),
        amsgrad: read.flag('amsgrad'),
      };
    });
  }

  protected override update(
    o: AdamSettings,
    [clipValue, norm, counts, handles, gradients]: Shared,
    parameters: readonly Tensor[],
  ): number {
    return addon.adam(
      device(parameters),
      o.learningRate,
      o.weightDecay,
      clipValue,
      norm,
      counts,
      handles,
      gradients,
      o.beta1,
      o.beta2,
      o.epsilon,
      this.decoupled,
      this.memory('average', parameters),
      this.memory('square', parameters),
      o.amsgrad ? this.memory('maximum', parameters) : null,
    );
  }
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019), as torch.optim.AdamW: p -= learningRate weightDecay p before Adam's
 * update. Default learningRate: 0.001, weightDecay: 0.01.
 *
 * @throws TypeError, RangeError
 */
export class AdamW extends Adam {
  protected override readonly decoupled = true;

  constructor(parameters: Parameters<AdamSettings>, options: AdamOptions = {}) {
    checkOptions(options, 'options', [...sharedNames, 'beta1', 'beta2', 'epsilon', 'amsgrad']);
    super(parameters, { ...options, weightDecay: options.weightDecay ?? 0.01 });
  }
}
