import { CudnnGruError } from '../../errors.js';
import type { GRU, GRUOptions, QuantizedGRU } from '../../layers/index.js';
import * as ops from '../../ops/index.js';
import { upload } from '../../ops/result.js';
import type { Tensor } from '../../tensor/tensor.js';
import { attributeNumber, attributeText, type Call, type GraphNode, type Operator } from './operator.js';
import { gatherRows, toHost, type Value } from './values.js';

// ONNX's GRU (https://onnx.ai/onnx/operators/onnx__GRU.html) is one layer of one or two directions. Its gates are z, r, h and stacked by
// direction: W [D, 3H, I], R [D, 3H, H], B [D, 6H], the input's biases before the recurrent ones; Y [T, D, B, H], or with
// layout 1 [B, T, D, H].

/** A GRU layer as `GRU`'s options say it. */
export type GruLayerOptions = Required<
  Pick<GRUOptions, 'inputSize' | 'hiddenSize' | 'bidirectional' | 'bias' | 'variant' | 'timeMajor'>
>;

/** What the node runs: the layer that holds its weights, or the weights that were calculated or given. */
type Run = (x: Tensor, inputs: { initialHidden: Tensor | null; lengths: ArrayLike<number> | null }) => ops.GruResult;

function direction(node: GraphNode): string {
  return attributeText(node, 'direction', 'forward');
}

export function isBidirectional(node: GraphNode): boolean {
  return direction(node) === 'bidirectional';
}

export function variantOf(node: GraphNode): ops.GruVariant {
  return attributeNumber(node, 'linear_before_reset', 0) !== 0 ? 'resetAfter' : 'resetBefore';
}

export function isBatchMajor(node: GraphNode): boolean {
  return attributeNumber(node, 'layout', 0) !== 0;
}

function refuse(node: GraphNode): string | undefined {
  if ('clip' in node.attributes) return 'clip';
  const activations = node.attributes.activations as readonly string[] | undefined;
  const names = activations?.map((name) => name.toLowerCase());
  if (names?.some((name, i) => name !== (i % 2 === 0 ? 'sigmoid' : 'tanh'))) {
    return `the activations ${activations?.join(', ')}`;
  }
  const at = direction(node);
  return ['forward', 'reverse', 'bidirectional'].includes(at) ? undefined : `the direction ${at}`;
}

/** Rows in the order z, r, h (ONNX) become r, z, n, and the other way round. `data` is [3H, …]. */
export function swapGates(data: Float32Array): Float32Array {
  const gate = data.length / 3;
  const swapped = data.slice();
  swapped.set(data.subarray(gate, 2 * gate));
  swapped.set(data.subarray(0, gate), gate);
  return swapped;
}

/** The same in place; done twice, everything is as it was. */
export function exchangeGates(data: Float32Array): void {
  const gate = data.length / 3;
  for (let i = 0; i < gate; i++) {
    const value = data[i] as number;
    data[i] = data[gate + i] as number;
    data[gate + i] = value;
  }
}

/** The same for a tensor whose first axis is 3H. */
function swapGatesOf(tensor: Tensor): Tensor {
  const hidden = (tensor.shape[0] as number) / 3;
  const gate = (index: number) => ops.slice(tensor, 0, index * hidden, (index + 1) * hidden);
  return ops.concat([gate(1), gate(0), gate(2)]);
}

function gruFromTensors(call: Call): Run {
  const [w, r] = [call.tensor(1), call.tensor(2)];
  const b = call.has(3) ? call.tensor(3) : null;
  const directions = isBidirectional(call.node) ? 2 : 1;
  const hidden = r.shape[2] as number;
  const fits = w.rank === 3 && r.rank === 3 && w.shape[0] === directions && w.shape[1] === 3 * hidden;
  if (!fits || (b && String(b.shape) !== String([directions, 6 * hidden]))) {
    const shapes = [w, r, ...(b ? [b] : [])].map(({ shape }) => `[${shape.join(', ')}]`).join(', ');
    throw new CudnnGruError('ERR_FORMAT', `weights of the shapes ${shapes} for ${directions} directions`);
  }
  const weights = Array.from({ length: directions }, (_, index) => {
    const part = (tensor: Tensor) => ops.slice(tensor, 0, index, index + 1).reshape(tensor.shape.slice(1));
    const biases = b ? [ops.slice(part(b), 0, 0, 3 * hidden), ops.slice(part(b), 0, 3 * hidden, 6 * hidden)] : [];
    return [part(w), part(r), ...biases].map(swapGatesOf);
  }).flat();
  return (x, inputs) =>
    ops.gru(x, weights, {
      bidirectional: directions === 2,
      bias: b !== null,
      variant: variantOf(call.node),
      timeMajor: !isBatchMajor(call.node),
      ...inputs,
    });
}

/** Each row of a sequence backwards, up to its length; what lies behind stays in its place. */
function reversed(x: Tensor, timeMajor: boolean, lengths: ArrayLike<number> | null): Tensor {
  const [first, second, features] = x.shape as [number, number, number];
  const [time, batch] = timeMajor ? [first, second] : [second, first];
  const ids = new Int32Array(time * batch);
  const at = (step: number, row: number) => (timeMajor ? step * batch + row : row * time + step);
  for (let row = 0; row < batch; row++) {
    const length = Math.min(lengths?.[row] ?? time, time);
    for (let step = 0; step < time; step++) ids[at(step, row)] = at(step < length ? length - 1 - step : step, row);
  }
  return gatherRows(x.reshape(time * batch, features), upload(ids, [first, second], x.on));
}

function run(call: Call, layer: GRU | QuantizedGRU | undefined): Value[] {
  const { node } = call;
  const x = call.tensor(0);
  const timeMajor = !isBatchMajor(node);
  const lengths = call.has(4) ? toHost(call.value(4), 'sequence_lens').data : null;
  const given = call.has(5) ? call.tensor(5) : null;
  const initialHidden = given && !timeMajor ? ops.transpose(given, 0, 1) : given;
  const forward: Run = layer ? (input, inputs) => layer.forward(input, inputs) : gruFromTensors(call);
  const backwards = direction(node) === 'reverse';
  const input = backwards ? reversed(x, timeMajor, lengths) : x;
  const result = forward(input, { initialHidden, lengths });
  const output = backwards ? reversed(result.output, timeMajor, lengths) : result.output;
  const [first, second, width] = output.shape as [number, number, number];
  const directions = isBidirectional(node) ? 2 : 1;
  const split = output.reshape(first, second, directions, width / directions);
  // With one direction the axis of the directions is put in its place without moving a number.
  const y = directions === 1 ? output.reshape(first, 1, second, width) : ops.transpose(split, 1, 2);
  return timeMajor ? [y, result.hidden] : [split, ops.transpose(result.hidden, 0, 1)];
}

/** The GRU operator of a model with these layers. */
export function gruOperator(layers: readonly (GRU | QuantizedGRU)[]): Operator {
  return {
    inputs: [3, 6],
    attributes: [
      'activation_alpha',
      'activation_beta',
      'activations',
      'clip',
      'direction',
      'hidden_size',
      'layout',
      'linear_before_reset',
    ],
    refuse,
    run: (call) => run(call, call.node.layer === undefined ? undefined : layers[call.node.layer]),
  };
}
