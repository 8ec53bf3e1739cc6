import { wrongKind } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { divide } from '../ops/result.js';
import { uniform } from '../tensor/creation.js';
import { type DeviceName, deviceOf } from '../tensor/device.js';
import { Generator } from '../tensor/generator.js';
import { keepFromScope } from '../tensor/scope.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';

/** What every layer with parameters takes. */
export interface LayerOptions {
  /** Where the parameters live. Default: 'cpu'. */
  device?: DeviceName | 'auto';
  /** Draws the initial parameters. Default: the one that `setSeed` seeds. */
  generator?: Generator;
}

/** @internal The names of `LayerOptions`, for `checkOptions`. */
export const layerOptions = ['device', 'generator'];

let budget = Number.POSITIVE_INFINITY;

/**
 * @internal Runs `make` so that it fails before it makes more than `elements` parameters: a model file may not ask for more than it
 * holds.
 */
export function withParameterBudget<T>(elements: number, make: () => T): T {
  budget = elements;
  try {
    return make();
  } finally {
    budget = Number.POSITIVE_INFINITY;
  }
}

/** @internal Every layer asks before it makes parameters. @throws CudnnGruError ERR_FORMAT */
export function claimParameters(elements: number): void {
  if (elements > budget) {
    throw new CudnnGruError(
      'ERR_FORMAT',
      `the architecture asks for ${elements} more parameters than the ${budget} that are left in the file`,
    );
  }
  budget -= elements;
}

/** @internal Parameters of these shapes, side by side in one block of memory, each drawn evenly from [-bound, bound). */
export function uniformParameters(
  shapes: readonly (readonly number[])[],
  bound: number,
  options: LayerOptions,
): Tensor[] {
  const { device = 'cpu', generator } = options;
  if (generator !== undefined && !(generator instanceof Generator))
    throw wrongKind('generator', 'a Generator', generator);
  const total = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  claimParameters(total);
  const whole = uniform([total], -bound, bound, { device: deviceOf(device).name, ...(generator && { generator }) });
  const parameters = divide(whole, shapes);
  for (const parameter of parameters) asParameter(parameter);
  return parameters;
}

/** @internal A leaf that wants gradients and outlives every scope. */
export function asParameter(tensor: Tensor): Tensor {
  tensor.requiresGrad = true;
  return keepFromScope(tensor);
}
