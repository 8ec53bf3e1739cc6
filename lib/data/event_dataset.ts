import { checkInteger, checkOptions, checkPositiveInteger, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import type { EventCuts } from './event_cuts.js';
import { type EventLog, eventsUntil } from './event_log.js';
import { range } from './random.js';
import { fitStandardScaler, Scaler, type ScalerJson } from './scalers.js';
import { padSequences } from './sequence_dataset.js';
import type { Batch, Dataset, HostArray } from './types.js';

/** How events become numbers; plain JSON, kept in model files. Made by `fitEventEncoding`. */
export interface EventEncoding {
  /** The log's features in the order of the inputs; those with `values` are text, of which each value is an input of its own. */
  readonly features: readonly { readonly name: string; readonly values: readonly string[] | null }[];
  /** Of the numeric features and of the logarithm of the time since the entity's event before. */
  readonly scaler: ScalerJson;
}

// A text feature with more values is no kind of event but a name.
const valueLimit = 200;

/**
 * Learns scalers and the values of text features from the events until `until`. Values that are not among them have all their inputs 0.
 *
 * @param entities the entities to learn from, as numbers in the log; default: all
 * @throws CudnnGruError `ERR_DATA` when there is no such event, or a text feature takes more than 200 values
 */
export function fitEventEncoding(log: EventLog, until: number, entities?: ArrayLike<number>): EventEncoding {
  const chosen = entities && new Set(Array.from(entities));
  const known = Int32Array.from(
    Array.from(log.entities.keys()).flatMap((entity) => {
      if (chosen && !chosen.has(entity)) return [];
      const [first, end] = [log.starts[entity] as number, log.starts[entity + 1] as number];
      return Array.from({ length: end - first }, (_, i) => first + i).filter(
        (event) => (log.times[event] as number) <= until,
      );
    }),
  );
  if (known.length === 0) throw new CudnnGruError('ERR_DATA', `${log.source} has no event until ${until}`);
  const features = Array.from(log.columns, ([name, column]) => {
    if (column instanceof Float64Array) return { name, values: null };
    const values = [...new Set(Array.from(known, (event) => column[event] as string))].sort();
    if (values.length > valueLimit) {
      throw new CudnnGruError(
        'ERR_DATA',
        `${log.source}: the column ${name} takes ${values.length} values; at most ${valueLimit} can be inputs`,
      );
    }
    return { name, values };
  });
  const gaps = logGaps(log);
  const scaled = [...numericColumns(log), gaps];
  const rows = new Float64Array(known.length * scaled.length);
  known.forEach((event, row) => {
    for (const [i, column] of scaled.entries()) rows[row * scaled.length + i] = column[event] as number;
  });
  return { features, scaler: fitStandardScaler(rows, scaled.length).toJSON() };
}

/** Inputs of each step: the features, the gap to the event before, and whether the step is the closing one. */
export function encodedSize({ features }: EventEncoding): number {
  return features.reduce((size, { values }) => size + (values ? values.length : 1), 2);
}

export interface EventDatasetOptions {
  /** Events that an example reads at most: the last ones until the cut. */
  readonly window: number;
  /** Default: all cuts. */
  readonly cuts?: ArrayLike<number>;
}

/**
 * One example for each cut: what the entity did until then, and what came (int32 0 or 1). A sequence holds the last `window` events that are
 * not later than the cut, and a closing step that stands for the cut itself and says how long ago the last event is. Nothing later than
 * the cut is read. Sequences are made when a batch is asked for.
 */
export class EventDataset implements Dataset {
  readonly length: number;
  readonly log: EventLog;
  readonly cuts: EventCuts;
  readonly window: number;
  readonly indices: Int32Array;
  readonly #inputs: Float32Array;
  readonly #width: number;
  readonly #gapScale: { offset: number; scale: number };

  constructor(log: EventLog, cuts: EventCuts, encoding: EventEncoding, options: EventDatasetOptions) {
    checkOptions(options, 'options', ['window', 'cuts']);
    this.log = log;
    this.cuts = cuts;
    this.window = checkPositiveInteger(options.window, 'window');
    this.indices = Int32Array.from(options.cuts ?? range(cuts.times.length));
    this.indices.forEach((cut, i) => {
      checkInteger(cut, `cuts[${i}]`, { min: 0, below: cuts.times.length });
    });
    this.length = this.indices.length;
    this.#width = encodedSize(encoding);
    this.#inputs = encode(log, encoding);
    const { offset, scale } = encoding.scaler;
    this.#gapScale = { offset: offset.at(-1) as number, scale: scale.at(-1) as number };
  }

  /** Features of each step. */
  get inputSize(): number {
    return this.#width;
  }

  lengthOf(index: number): number {
    const { first, last } = this.#eventsOf(index);
    return last - first + 1;
  }

  get(indices: ArrayLike<number>): Batch {
    const sequences = Array.from(indices, (index) => this.#sequence(index));
    return {
      inputs: padSequences(sequences),
      targets: {
        data: Int32Array.from(indices, (index) => this.cuts.labels[this.#cut(index)] as number),
        shape: [sequences.length],
      },
      lengths: Int32Array.from(sequences, ({ shape }) => shape[0] as number),
    };
  }

  #cut(index: number): number {
    const cut = this.indices[index];
    if (cut === undefined) throw wrongRange('index', `an integer >= 0 and < ${this.length}`, index);
    return cut;
  }

  // The events from `first` to below `last` are read.
  #eventsOf(index: number): { first: number; last: number; cut: number } {
    const cut = this.#cut(index);
    const entity = this.cuts.entities[cut] as number;
    const start = this.log.starts[entity] as number;
    const last = start + eventsUntil(this.log, entity, this.cuts.times[cut] as number);
    return { first: Math.max(start, last - this.window), last, cut };
  }

  #sequence(index: number): HostArray<Float32Array> {
    const { first, last, cut } = this.#eventsOf(index);
    const width = this.#width;
    const steps = last - first + 1;
    const data = new Float32Array(steps * width);
    data.set(this.#inputs.subarray(first * width, last * width));
    const { offset, scale } = this.#gapScale;
    const since = (this.cuts.times[cut] as number) - (this.log.times[last - 1] as number);
    data[steps * width - 2] = (Math.log1p(since) - offset) / scale;
    data[steps * width - 1] = 1;
    return { data, shape: [steps, width] };
  }
}

// [events, encodedSize]; the last input, of the closing step, is 0.
function encode(log: EventLog, encoding: EventEncoding): Float32Array {
  const width = encodedSize(encoding);
  const columns = encoding.features.map(({ name, values }) => {
    const column = log.columns.get(name);
    if (column === undefined) throw new CudnnGruError('ERR_DATA', `${log.source} has no column ${name}`);
    if (values === null && !(column instanceof Float64Array)) {
      throw new CudnnGruError(
        'ERR_DATA',
        `${log.source}: the column ${name} holds text; the model was trained on numbers`,
      );
    }
    return { column, values: values && new Map(values.map((value, i) => [value, i])) };
  });
  const scaler = Scaler.fromJSON(encoding.scaler);
  const gaps = logGaps(log);
  const scaled = (value: number, i: number) => (value - (scaler.offset[i] as number)) / (scaler.scale[i] as number);
  const out = new Float32Array(log.times.length * width);
  for (let event = 0; event < log.times.length; event++) {
    let at = event * width;
    let numeric = 0;
    for (const { column, values } of columns) {
      if (values === null) {
        out[at++] = scaled(column[event] as number, numeric++);
        continue;
      }
      const found = values.get(String(column[event]));
      if (found !== undefined) out[at + found] = 1;
      at += values.size;
    }
    out[at] = scaled(gaps[event] as number, numeric);
  }
  return out;
}

function numericColumns(log: EventLog): Float64Array[] {
  return [...log.columns.values()].filter((column) => column instanceof Float64Array);
}

// log(1 + time since the entity's event before), 0 for its first.
function logGaps({ starts, times }: EventLog): Float64Array {
  const gaps = new Float64Array(times.length);
  for (let entity = 0; entity + 1 < starts.length; entity++) {
    for (let event = (starts[entity] as number) + 1; event < (starts[entity + 1] as number); event++) {
      gaps[event] = Math.log1p((times[event] as number) - (times[event - 1] as number));
    }
  }
  return gaps;
}
