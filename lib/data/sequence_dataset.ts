import { checkNumber, checkOptions, checkPositiveInteger, wrongKind, wrongRange } from '../arguments.js';
import { type ArrayInput, type ElementKind, sameKind, selectRows, toHostArray } from './array_dataset.js';
import type { Batch, Dataset, HostArray } from './types.js';

export interface SequenceDatasetOptions {
  /**
   * One array per example: [time, features], or [time] for token numbers. The lengths may differ, the features not;
   * a typed array without a shape is [time].
   */
  readonly sequences: readonly ArrayInput[];
  /** [examples, ...], one row per sequence; or one array of [time, ...] per sequence with `targetsPerStep`. */
  readonly targets: ArrayInput | readonly ArrayInput[];
  /** True when each step has its own target. Default false. */
  readonly targetsPerStep?: boolean;
  /** What nested arrays of sequences become. Default `float32`; `int32` for token numbers. */
  readonly inputType?: ElementKind;
  /** As `inputType`, for the targets; `int32` for class labels. Default `float32`. */
  readonly targetType?: ElementKind;
  /** What stands in the inputs behind the end of a sequence. Default 0. */
  readonly padding?: number;
  /** What stands in the targets per step behind the end: -100 is what cross-entropy ignores. Default -100 for int32, 0 for float32. */
  readonly targetPadding?: number;
}

const OPTIONS = ['sequences', 'targets', 'targetsPerStep', 'inputType', 'targetType', 'padding', 'targetPadding'];

/** Sequences of different lengths; a batch is padded to its longest one and carries `lengths`. */
export class SequenceDataset implements Dataset {
  readonly length: number;
  readonly #sequences: readonly HostArray[];
  readonly #targets: HostArray | readonly HostArray[];
  readonly #padding: number;
  readonly #targetPadding: number;

  /** @throws TypeError or RangeError naming the sequence that is empty or has another number of features. */
  constructor(options: SequenceDatasetOptions) {
    checkOptions(options, 'options', OPTIONS);
    const { sequences, targets, targetsPerStep = false, inputType, targetType } = options;
    this.#sequences = listOf(sequences, 'sequences', inputType);
    this.length = this.#sequences.length;
    if (targetsPerStep) {
      const list = listOf(targets as readonly ArrayInput[], 'targets', targetType);
      checkCount(list.length, this.length);
      list.forEach((target, i) => {
        const steps = (this.#sequences[i] as HostArray).shape[0];
        if (target.shape[0] !== steps)
          throw wrongRange(`targets[${i}]`, `${steps} steps, like its sequence`, [...target.shape]);
      });
      this.#targets = list;
    } else {
      const rows = toHostArray(targets as ArrayInput, 'targets', targetType);
      checkCount(rows.shape[0] as number, this.length);
      this.#targets = rows;
    }
    const first = Array.isArray(this.#targets) ? this.#targets[0] : this.#targets;
    this.#padding = checkNumber(options.padding ?? 0, 'padding');
    this.#targetPadding = checkNumber(
      options.targetPadding ?? (first.data instanceof Int32Array ? -100 : 0),
      'targetPadding',
    );
  }

  lengthOf(index: number): number {
    return this.#sequence(index).shape[0] as number;
  }

  get(indices: ArrayLike<number>): Batch {
    const chosen = Array.from(indices, (index) => this.#sequence(index));
    const lengths = Int32Array.from(chosen, ({ shape }) => shape[0] as number);
    const inputs = padSequences(chosen, this.#padding);
    const targets = this.#targets;
    if ('data' in targets) return { inputs, targets: selectRows(targets, indices), lengths };
    const padded = padSequences(
      Array.from(indices, (index) => targets[index] as HostArray),
      this.#targetPadding,
    );
    return { inputs, targets: padded, lengths };
  }

  #sequence(index: number): HostArray {
    const sequence = this.#sequences[index];
    if (sequence === undefined) throw wrongRange('index', `an integer >= 0 and < ${this.length}`, index);
    return sequence;
  }
}

/** Sequences [time, ...] side by side as [sequences, longest time, ...], each filled up with `padding` behind its end. */
export function padSequences(sequences: readonly HostArray[], padding = 0): HostArray {
  const first = sequences[0];
  if (first === undefined) throw wrongRange('sequences', 'at least one sequence', sequences);
  const rest = first.shape.slice(1);
  const longest = Math.max(...sequences.map(({ shape }) => shape[0] as number));
  const size = rest.reduce((total, dimension) => total * dimension, longest);
  const data = sameKind(first.data, sequences.length * size).fill(padding);
  sequences.forEach((sequence, i) => {
    data.set(sequence.data, i * size);
  });
  return { data, shape: [sequences.length, longest, ...rest] };
}

function listOf(values: readonly ArrayInput[], name: string, kind: ElementKind | undefined): HostArray[] {
  if (!Array.isArray(values)) throw wrongKind(name, 'an array with one array per example', values);
  checkPositiveInteger(values.length, `${name}.length`);
  const list = values.map((value: ArrayInput, i) => toHostArray(value, `${name}[${i}]`, kind));
  const first = list[0] as HostArray;
  list.forEach(({ data, shape }, i) => {
    if (shape[0] === 0) throw wrongRange(`${name}[${i}]`, 'at least one step', [...shape]);
    const same = shape.slice(1).join() === first.shape.slice(1).join() && shape.length === first.shape.length;
    if (!same)
      throw wrongRange(`${name}[${i}]`, `steps like those of ${name}[0], [${first.shape.join(', ')}]`, [...shape]);
    if (data.constructor !== first.data.constructor)
      throw wrongKind(`${name}[${i}]`, `the element type of ${name}[0]`, data);
  });
  return list;
}

function checkCount(received: number, expected: number): void {
  if (received !== expected) throw wrongRange('targets', `as many as sequences (${expected})`, received);
}
