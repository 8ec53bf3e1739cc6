import { wrongKind } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { addon } from '../native/load.js';
import { checkTensor, divide, fill } from '../ops/result.js';
import { uniform } from '../tensor/creation.js';
import { type Device, type DeviceName, deviceOf } from '../tensor/device.js';
import { Generator } from '../tensor/generator.js';
import { keepFromScope } from '../tensor/scope.js';
import { elementCount, Tensor } from '../tensor/tensor.js';

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

/** @internal Where parameters lie in their block, in elements: as `Device::gruLayout` says. */
export interface BlockLayout {
  elements: number;
  offsets: readonly number[];
}

/**
 * @internal Parameters of these shapes in one block of memory, each drawn evenly from [-bound, bound): the same numbers whatever the layout.
 *
 * @param layoutOn where the device wants them; side by side if left out
 */
export function uniformParameters(
  shapes: readonly (readonly number[])[],
  bound: number,
  options: LayerOptions,
  layoutOn?: (device: Device) => BlockLayout,
): Tensor[] {
  const { generator } = options;
  if (generator !== undefined && !(generator instanceof Generator))
    throw wrongKind('generator', 'a Generator', generator);
  const device = deviceOf(options.device);
  const total = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  claimParameters(total);
  const whole = uniform([total], -bound, bound, { device: device.name, ...(generator && { generator }) });
  const drawn = divide(whole, shapes);
  const layout = layoutOn?.(device);
  if (!layout || isSideBySide(layout, shapes)) return drawn.map((tensor) => parameter(tensor));
  return placeTogether(drawn, layout, device, (from, to) =>
    addon.copy(device.index, from.size, from.handle, to.handle),
  );
}

/** @internal New parameters in one block of this layout, filled by `copy`; the old ones are disposed. */
export function placeTogether(
  tensors: readonly Tensor[],
  layout: BlockLayout,
  device: Device,
  copy: (from: Tensor, to: Tensor) => void,
): Tensor[] {
  const shapes = tensors.map((tensor) => tensor.shape);
  const placed = divide(fill([layout.elements], 0, device), shapes, layout.offsets);
  for (const [index, tensor] of tensors.entries()) {
    copy(tensor, placed[index] as Tensor);
    tensor.dispose();
  }
  return placed.map((tensor) => parameter(tensor));
}

function isSideBySide(layout: BlockLayout, shapes: readonly (readonly number[])[]): boolean {
  let end = 0;
  for (const [index, shape] of shapes.entries()) {
    if (layout.offsets[index] !== end) return false;
    end += elementCount(shape);
  }
  return layout.elements === end;
}

const known = new WeakSet<Tensor>();

/**
 * Makes a tensor a parameter: a leaf that requires a gradient, outlives every `scope`, and is part of the module of which it is a property.
 *
 * @throws TypeError for what is no float32 tensor; CudnnGruError `ERR_NO_GRADIENT` for a tensor that was computed from others
 */
export function parameter(tensor: Tensor): Tensor {
  checkTensor(tensor, 'tensor');
  if (tensor.node)
    throw new CudnnGruError('ERR_NO_GRADIENT', 'parameter(): detach() a tensor that was computed from others');
  tensor.requiresGrad = true;
  known.add(tensor);
  return keepFromScope(tensor);
}

/** @internal A parameter of a model for inference: of any type, without a gradient. */
export function frozenParameter(tensor: Tensor): Tensor {
  known.add(tensor);
  return keepFromScope(tensor);
}

/** @internal */
export function isParameter(value: unknown): value is Tensor {
  return value instanceof Tensor && known.has(value);
}
