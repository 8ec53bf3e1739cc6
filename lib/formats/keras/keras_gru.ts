import { checkBoolean, checkNumber, checkOneOf, checkOptions, wrongRange } from '../../arguments.js';
import { type Architecture, Dropout, GRU } from '../../layers/index.js';
import { type LayerOptions, layerOptions } from '../../layers/parameters.js';
import { concat, type GruVariant, gatherTime, lastStep } from '../../ops/index.js';
import { fill } from '../../ops/result.js';
import type { Tensor } from '../../tensor/tensor.js';
import { KerasLayer, type Value } from './keras_layers.js';
import { gatherSteps, orderSteps, type StepMask, type StepOrder } from './valid_steps.js';

/** How the outputs of two directions become one; 'none': they stay two. */
export type MergeMode = 'concat' | 'sum' | 'mul' | 'ave' | 'none';

export const mergeModes: readonly MergeMode[] = ['concat', 'sum', 'mul', 'ave', 'none'];

export interface KerasGRUOptions extends LayerOptions {
  inputSize: number;
  hiddenSize: number;
  bias: boolean;
  variant: GruVariant;
  /** Of a second direction, which `Bidirectional` adds; null: there is none. */
  mergeMode: MergeMode | null;
  /** Outputs of all steps, not of the last alone. */
  returnSequences: boolean;
  /** Also gives the last state of each direction. */
  returnState: boolean;
  /** Reads from the last step to the first, and gives the outputs in that order. */
  goBackwards: boolean;
  /** Masked steps have output 0, not the output before. */
  zeroMasked: boolean;
  /** Dropout on the features of the input, the same at each step, in training. */
  inputDropout: number;
}

const optionNames = [
  'inputSize',
  'hiddenSize',
  'bias',
  'variant',
  'mergeMode',
  'returnSequences',
  'returnState',
  'goBackwards',
  'zeroMasked',
  'inputDropout',
  ...layerOptions,
];

/** Keras's GRU, alone or within Bidirectional: one layer, masks anywhere. */
export class KerasGRU extends KerasLayer {
  readonly gru: GRU;
  readonly mergeMode: MergeMode | null;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  readonly zeroMasked: boolean;
  readonly inputDropout: Dropout;

  constructor(options: KerasGRUOptions) {
    super();
    checkOptions(options, 'options', optionNames);
    const { inputSize, hiddenSize, bias, variant, device, generator } = options;
    this.mergeMode = options.mergeMode === null ? null : checkOneOf(options.mergeMode, 'mergeMode', mergeModes);
    this.returnSequences = checkBoolean(options.returnSequences, 'returnSequences');
    this.returnState = checkBoolean(options.returnState, 'returnState');
    this.goBackwards = checkBoolean(options.goBackwards, 'goBackwards');
    this.zeroMasked = checkBoolean(options.zeroMasked, 'zeroMasked');
    this.inputDropout = new Dropout(checkNumber(options.inputDropout, 'inputDropout'));
    this.gru = new GRU({
      inputSize,
      hiddenSize,
      bias,
      variant,
      bidirectional: this.mergeMode !== null,
      ...(device && { device }),
      ...(generator && { generator }),
    });
  }

  override architecture(): Architecture {
    const { inputSize, hiddenSize, bias, variant } = this.gru;
    const { mergeMode, returnSequences, returnState, goBackwards, zeroMasked } = this;
    const own = { mergeMode, returnSequences, returnState, goBackwards, zeroMasked };
    const inputDropout = this.inputDropout.probability;
    return { type: 'KerasGRU', options: { inputSize, hiddenSize, bias, variant, ...own, inputDropout } };
  }

  override forward({ tensor, mask }: Value, initialStates: readonly Tensor[] = []): Value[] {
    const { hiddenSize } = this.gru;
    const [batch, time] = tensor.shape as [number, number];
    const directions = this.mergeMode === null ? 1 : 2;
    if (initialStates.length > 0 && initialStates.length !== directions) {
      throw wrongRange('initialStates', `${directions} of them, one for each direction`, initialStates);
    }
    const initialHidden =
      initialStates.length > 0 ? concat(initialStates.map((state) => state.reshape(1, batch, hiddenSize))) : null;
    const order = this.#order(mask, batch, time);
    const x = this.#drop(tensor);
    const run = this.gru.forward(order && !order.inPlace ? gatherSteps(x, order.sources) : x, {
      initialHidden,
      lengths: order?.lengths ?? null,
    });
    const outputs = Array.from({ length: directions }, (_, direction) => {
      const output =
        directions === 1 ? run.output : run.output.slice(2, direction * hiddenSize, (direction + 1) * hiddenSize);
      return this.returnSequences ? putBack(output, order, direction) : lastOutput(output, order, direction);
    });
    const values: Value[] = this.#merge(outputs).map((output) => ({
      tensor: output,
      mask: this.returnSequences ? mask : null,
    }));
    if (this.returnState) {
      for (let direction = 0; direction < directions; direction++) {
        const state = run.hidden.slice(0, direction, direction + 1).reshape(batch, hiddenSize);
        values.push({ tensor: state, mask: null });
      }
    }
    return values;
  }

  #order(mask: StepMask | null, batch: number, time: number): StepOrder | null {
    if (mask) {
      if (mask.batch !== batch || mask.time !== time) {
        throw wrongRange('mask', `shape [${batch}, ${time}]`, [mask.batch, mask.time]);
      }
      return orderSteps(mask, this.goBackwards, this.zeroMasked);
    }
    if (!this.goBackwards) return null;
    return orderSteps({ batch, time, valid: new Uint8Array(batch * time).fill(1) }, true, false);
  }

  #drop(x: Tensor): Tensor {
    if (!this.training || this.inputDropout.probability === 0) return x;
    const [batch, , features] = x.shape as [number, number, number];
    return x.mul(this.inputDropout.forward(fill([batch, 1, features], 1, x.on)));
  }

  #merge(outputs: readonly Tensor[]): Tensor[] {
    const [first, second] = outputs as [Tensor, Tensor];
    switch (this.mergeMode) {
      case 'concat':
        return [concat([first, second], -1)];
      case 'sum':
        return [first.add(second)];
      case 'ave':
        return [first.add(second).mul(0.5)];
      case 'mul':
        return [first.mul(second)];
      default:
        return [...outputs];
    }
  }
}

// The run's outputs at the steps of the layer's output.
function putBack(output: Tensor, order: StepOrder | null, direction: number): Tensor {
  if (!order) return output;
  return gatherSteps(output, direction === 0 ? order.outputs : order.reverseOutputs);
}

// The output of the step that a direction reads last.
function lastOutput(output: Tensor, order: StepOrder | null, direction: number): Tensor {
  if (direction === 0) return lastStep(output, order?.lengths);
  const first = order
    ? order.lengths.map((length) => (length === 0 ? -1 : 0))
    : new Int32Array(output.shape[0] as number);
  return gatherTime(output, first);
}
