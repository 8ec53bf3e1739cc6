import { checkNumber, checkOptions } from '../arguments.js';
import { dropout } from '../ops/index.js';
import { checkTensor, fill } from '../ops/result.js';
import { defaultGenerator, type Generator } from '../tensor/generator.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DropoutOptions } from './layers.js';
import { type Architecture, Module } from './module.js';

/**
 * Dropout with one mask for all steps of a sequence (Gal and Ghahramani 2016): what is dropped of a row is dropped from its beginning to its
 * end, so that a recurrent layer behind it is not fed with noise that changes from step to step. In training each feature of each row
 * becomes 0 with this probability and the others are divided by 1 - probability; else nothing happens.
 *
 * @throws TypeError, RangeError
 */
export class VariationalDropout extends Module {
  readonly probability: number;
  /** Draws the masks; a Trainer puts its own here. */
  generator: Generator;

  /** @param options or the probability alone */
  constructor(options: DropoutOptions | number = {}) {
    super();
    if (typeof options !== 'number') checkOptions(options, 'options', ['probability', 'generator']);
    const { probability = 0.5, generator = defaultGenerator } =
      typeof options === 'number' ? { probability: options } : options;
    this.probability = checkNumber(probability, 'probability', { min: 0, below: 1 });
    this.generator = generator;
  }

  override architecture(): Architecture {
    return { type: 'VariationalDropout', options: { probability: this.probability } };
  }

  /** @param x [batch, time, features]. @throws TypeError, RangeError */
  forward(x: Tensor): Tensor {
    const [batch, , features] = checkTensor(x, 'x', 'float32', 3).shape as [number, number, number];
    if (!this.training || this.probability === 0) return x;
    const mask = dropout(fill([batch, 1, features], 1, x.on), this.probability, this.generator);
    return x.mul(mask);
  }
}
