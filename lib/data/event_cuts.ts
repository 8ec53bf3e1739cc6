import { checkNumber, checkOneOf, checkOptions, wrongKind, wrongRange } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { type EventLog, eventsUntil } from './event_log.js';
import type { Split, SplitSizes } from './splits.js';

export interface EventCutsOptions {
  /**
   * What is to be foretold at a cut for the time (cut, cut + horizon]: `silence`, that the entity has no event (churn); or `event`, that
   * it has a marked one (a failure, a fraud).
   */
  readonly target: 'silence' | 'event';
  /** A number for each event of the log, above 0 where it is the one to be foretold; only with `event`. */
  readonly marks?: ArrayLike<number>;
  /** How far the target looks ahead, in the unit of the log's times. */
  readonly horizon: number;
  /** Time between cuts; the first is one such time after the first event of the log. Default: the horizon. */
  readonly every?: number;
}

/** Moments at which something is to be foretold of one entity: what it did until then is known, what follows is not. */
export interface EventCuts {
  /** [cuts], rising. */
  readonly times: Float64Array;
  /** The entity of each cut, as its number in the log: [cuts]. */
  readonly entities: Int32Array;
  /** 1 if it came so, else 0: [cuts]. */
  readonly labels: Int32Array;
  readonly horizon: number;
}

/**
 * All cuts of a log whose outcome is known: a cut later than the log's last event less `horizon` is left out. An entity is asked about
 * from its first event on; for `silence` only while it has had an event within the last `horizon`, since later the answer is known.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` when no cut is left
 */
export function eventCuts(log: EventLog, options: EventCutsOptions): EventCuts {
  checkOptions(options, 'options', ['target', 'marks', 'horizon', 'every']);
  const target = checkOneOf(options.target, 'target', ['silence', 'event']);
  const horizon = checkNumber(options.horizon, 'horizon', { above: 0 });
  const every = checkNumber(options.every ?? horizon, 'every', { above: 0 });
  const { marks } = options;
  if ((target === 'event') !== (marks !== undefined)) {
    throw wrongKind(
      'marks',
      target === 'event' ? 'one number for each event' : "nothing with the target 'silence'",
      marks,
    );
  }
  if (marks && marks.length !== log.times.length) throw wrongRange('marks', `${log.times.length} numbers`, marks);
  const [first, last] = extent(log.times);
  const cuts: { time: number; entity: number; label: number }[] = [];
  for (let n = 1, time = first + every; time + horizon <= last; n += 1, time = first + n * every) {
    for (let entity = 0; entity < log.entities.length; entity++) {
      const start = log.starts[entity] as number;
      const known = eventsUntil(log, entity, time);
      if (known === 0) continue;
      if (target === 'silence' && (log.times[start + known - 1] as number) <= time - horizon) continue;
      const until = eventsUntil(log, entity, time + horizon);
      const label = marks ? anyAbove(marks, start + known, start + until) : Number(until === known);
      cuts.push({ time, entity, label });
    }
  }
  if (cuts.length === 0) {
    throw new CudnnGruError(
      'ERR_DATA',
      `${log.source}: not one cut: the events lie within ${last - first}, which has to hold every (${every}) and horizon (${horizon})`,
    );
  }
  return {
    times: Float64Array.from(cuts, ({ time }) => time),
    entities: Int32Array.from(cuts, ({ entity }) => entity),
    labels: Int32Array.from(cuts, ({ label }) => label),
    horizon,
  };
}

export interface CutSplit extends Split {
  /** Training and its outcomes end here: what encoders may be fitted on are the events until then. */
  readonly trainUntil: number;
}

/**
 * Cuts in time: the early ones for training, the next for validation, the last for the test. No outcome reaches into the next part: the
 * cuts whose horizon does are left out.
 *
 * @throws RangeError; CudnnGruError `ERR_DATA` when a part that was asked for gets no cut
 */
export function splitCuts(cuts: EventCuts, sizes: SplitSizes): CutSplit {
  checkOptions(sizes, 'sizes', ['validation', 'test']);
  const { validation = 0, test = 0 } = sizes;
  checkNumber(validation, 'validation', { min: 0, below: 1 });
  checkNumber(test, 'test', { min: 0, below: 1 - validation });
  const [first, last] = extent(cuts.times);
  const end = last + cuts.horizon;
  const testFrom = test > 0 ? end - test * (end - first) : Number.POSITIVE_INFINITY;
  const validationFrom = validation > 0 ? Math.min(end, testFrom) - validation * (end - first) : testFrom;
  const within = (from: number, to: number) =>
    Int32Array.from(cuts.times.keys()).filter((cut) => {
      const time = cuts.times[cut] as number;
      return time >= from && time + cuts.horizon <= to;
    });
  const split = {
    train: within(first, Math.min(validationFrom, end)),
    validation: validation > 0 ? within(validationFrom, Math.min(testFrom, end)) : new Int32Array(),
    test: test > 0 ? within(testFrom, end) : new Int32Array(),
    trainUntil: Math.min(validationFrom, end),
  };
  const sought = { train: 1, validation, test };
  for (const part of ['train', 'validation', 'test'] as const) {
    if (sought[part] > 0 && split[part].length === 0) {
      throw new CudnnGruError(
        'ERR_DATA',
        `not one cut is left for ${part}: ${cuts.times.length} cuts from ${first} to ${last}`,
      );
    }
  }
  return split;
}

function anyAbove(marks: ArrayLike<number>, from: number, to: number): number {
  for (let i = from; i < to; i++) if ((marks[i] as number) > 0) return 1;
  return 0;
}

function extent(values: Float64Array): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
