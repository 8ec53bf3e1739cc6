import { wrongKind } from '../arguments.js';
import type { StreamStates } from '../inference/stream_states.js';
import type { Precision } from '../ops/index.js';
import { Tensor } from '../tensor/tensor.js';
import { type Architecture, Module } from './module.js';

/** A module from one tensor to one tensor, or a GRU, of which the next module reads `output`. */
type Step = Module & { forward(x: Tensor): Tensor | { output: Tensor; hidden: Tensor } };

/**
 * Modules one after another; a GRU hands on its `output`. Parameters are named by position: `0.weight_ih_l0`, `1.weight`.
 *
 * @throws TypeError
 */
export class Sequential extends Module {
  readonly layers: readonly Step[];

  constructor(...layers: Step[]) {
    super();
    for (const [index, layer] of layers.entries()) {
      if (!(layer instanceof Module)) throw wrongKind(`layers[${index}]`, 'a Module', layer);
    }
    this.layers = layers;
  }

  override *children(): Iterable<[string, Module]> {
    for (const [index, layer] of this.layers.entries()) yield [String(index), layer];
  }

  override architecture(): Architecture {
    return { type: 'Sequential', options: this.layers.map((layer) => ({ ...layer.architecture() })) };
  }

  override quantize(precision: Precision): Sequential {
    return super.quantize(precision) as Sequential;
  }

  forward(x: Tensor): Tensor {
    let current = x;
    for (const layer of this.layers) {
      const result = layer.forward(current);
      const next = result instanceof Tensor ? result : result.output;
      if (!(result instanceof Tensor)) result.hidden.dispose();
      // What lies between the layers is nobody's but ours; the tape keeps what the gradients need.
      if (current !== x && next !== current) current.dispose();
      current = next;
    }
    return current;
  }

  /** That of the first layer that has one: features of a frame. */
  get inputSize(): number | undefined {
    for (const layer of this.layers) {
      const { inputSize } = layer as { inputSize?: number | undefined };
      if (inputSize !== undefined) return inputSize;
    }
    return undefined;
  }

  override step(x: Tensor, states: StreamStates): Tensor {
    return this.layers.reduce((frame, layer) => layer.step(frame, states), x);
  }
}
