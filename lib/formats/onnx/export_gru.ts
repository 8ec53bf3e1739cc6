import { lengthsOf } from './export_sequences.js';
import type { ValueName } from './graph_builder.js';
import { swapGates } from './gru_operator.js';
import type { TracedStep } from './traced_step.js';

/** A stack of GRU layers: one node for each, with the sequences time-major between them, as ONNX has them. */
export function exportGru(step: TracedStep): ValueName[] {
  const layers = step.attribute<number>('layers');
  const directions = step.attribute<number>('directions');
  const timeMajor = step.attribute<boolean>('timeMajor');
  if (step.attribute<number>('dropout') > 0) throw step.unsupported('dropout between layers that acts in eval()');
  const lengths = lengthsOf(step, timeMajor ? 0 : 1) ?? '';
  const exchanged = (x: ValueName) => (timeMajor ? x : step.node('Transpose', [x], { perm: [1, 0, 2] }));
  let x = exchanged(step.input(0));
  const states: ValueName[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const hiddenSize = step.inputShape(3)[1]?.offset as number;
    const inputs = [x, ...weightsOf(step, layer, directions), lengths, initialState(step, layer, directions)];
    const [y, state] = step.builder.nodes(
      'GRU',
      inputs,
      2,
      {
        hidden_size: hiddenSize,
        direction: directions === 2 ? 'bidirectional' : 'forward',
        linear_before_reset: step.attribute<boolean>('resetBefore') ? 0 : 1,
      },
      step.layer,
    ) as [ValueName, ValueName];
    x = withoutDirections(step, y, directions);
    states.push(state);
  }
  const hidden = states.length === 1 ? (states[0] as ValueName) : step.node('Concat', states, { axis: 0 });
  return [exchanged(x), hidden];
}

/** [time, batch, directions × hiddenSize] of [time, directions, batch, hiddenSize]. */
function withoutDirections(step: TracedStep, y: ValueName, directions: number): ValueName {
  if (directions === 1) return step.node('Squeeze', [y, step.builder.integers([1])]);
  const together = step.node('Transpose', [y], { perm: [0, 2, 1, 3] });
  return step.node('Reshape', [together, step.builder.integers([0, 0, -1])]);
}

function initialState(step: TracedStep, layer: number, directions: number): ValueName {
  if (!step.has(1)) return '';
  const { builder } = step;
  const bounds = [layer * directions, (layer + 1) * directions].map((at) => builder.integers([at]));
  return step.node('Slice', [step.input(1), ...bounds, builder.integers([0])]);
}

/** W, R and B of one layer, the gates in ONNX's order z, r, h. */
function weightsOf(step: TracedStep, layer: number, directions: number): ValueName[] {
  const perCell = step.attribute<boolean>('bias') ? 4 : 2;
  const first = 2 + layer * directions * perCell;
  const sources = (...places: number[]): Float32Array[] =>
    eachDirection(directions, (at) => places.map((place) => numbers(step, first + at * perCell + place))).flat();
  const weight = (name: string, shape: readonly number[], parts: readonly Float32Array[]): ValueName =>
    step.builder.weightLater(weightName(step, layer, name), shape, () => joined(parts.map((part) => swapGates(part))));
  const matrix = (place: number, name: string): ValueName => {
    const [rows, columns] = (step.inputShapes(first + place)[0] ?? []) as [number, number];
    return weight(name, [directions, rows, columns], sources(place));
  };
  const weights = [matrix(0, 'W'), matrix(1, 'R')];
  if (perCell === 2) return [...weights, ''];
  const biases = sources(2, 3);
  const length = biases.reduce((sum, bias) => sum + bias.length, 0) / directions;
  return [...weights, weight('B', [directions, length], biases)];
}

function weightName(step: TracedStep, layer: number, name: string): string {
  return `${step.layer === '' ? '' : `${step.layer}.`}${name}_l${layer}`;
}

function eachDirection<T>(directions: number, make: (direction: number) => T): T[] {
  return Array.from({ length: directions }, (_, direction) => make(direction));
}

function numbers(step: TracedStep, index: number): Float32Array {
  const found = step.numbers(index);
  if (found instanceof Float32Array) return found;
  throw step.unsupported('its weights are calculated from other tensors');
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0] as Float32Array;
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
