import { checkNumber, checkPositiveInteger, quote } from '../../arguments.js';
import { numericColumn, type Table } from '../../data/csv.js';
import { type EventCuts, eventCuts } from '../../data/event_cuts.js';
import { type EventEncoding, encodedSize } from '../../data/event_dataset.js';
import { type EventLog, eventLog } from '../../data/event_log.js';
import { Scaler } from '../../data/scalers.js';
import { CudnnGruError } from '../../errors.js';
import type { Classifier } from './classifier.js';
import { type ClassifierPreprocessing, classifierPreprocessingOf } from './evaluate_classifier.js';

/** What is asked about the entities of an event log. */
export interface EventQuestion {
  /** Columns of the log. */
  readonly entity: string;
  readonly time: string;
  readonly features: readonly string[];
  /**
   * Without a horizon: the column that names each entity's class, the same in all its rows. With one: the column that is above 0 in the events to be
   * foretold; null: silence is foretold.
   */
  readonly label: string | null;
  /** How far ahead the outcome lies; null: there is no outcome, the whole log of an entity has a class. */
  readonly horizon: number | null;
  /** Time between cuts; null: the horizon. */
  readonly every: number | null;
  /** Events that an example reads at most. */
  readonly window: number;
}

/** What turns an event log into a classifier's numbers. */
export interface EventClassifierPreprocessing extends ClassifierPreprocessing, EventQuestion {
  readonly input: 'events';
  readonly encoding: EventEncoding;
}

/** The events of a table, sorted. */
export function logOf(table: Table, { entity, time, features }: EventQuestion): EventLog {
  return eventLog(table, { entity, time, features });
}

/**
 * The moments whose class is known, with their labels as numbers into `classes`.
 *
 * @throws CudnnGruError `ERR_DATA` for a label that is none of the classes, or differs within an entity
 */
export function labelledCuts(
  table: Table,
  log: EventLog,
  question: EventQuestion,
  classes: readonly string[],
): EventCuts {
  const { label, horizon, every } = question;
  if (horizon === null) return endOfEach(log, labelsOfEntities(table, log, label as string, classes));
  const settings = { horizon, ...(every !== null && { every }) };
  if (label === null) return eventCuts(log, { target: 'silence', ...settings });
  const marked = numericColumn(table, label);
  const marks = Float64Array.from(log.rows, (row) => marked[row] as number);
  return eventCuts(log, { target: 'event', marks, ...settings });
}

/** One moment for each entity, with nothing known of what follows: the end of its own events, or with a horizon that of the log. */
export function latestCuts(log: EventLog, { horizon }: EventQuestion): EventCuts {
  const cuts = endOfEach(log, new Int32Array(log.entities.length));
  if (horizon === null) return cuts;
  const last = cuts.times.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY);
  return { ...cuts, times: cuts.times.map(() => last), horizon };
}

/** The names of the classes: as the labels have them, or what a yes and a no mean. */
export function classesOf(table: Table, { label, horizon }: EventQuestion): string[] {
  if (horizon !== null) return label === null ? ['active', 'silent'] : [`no ${label}`, label];
  return [...new Set(textOf(table, label as string))].sort();
}

function endOfEach(log: EventLog, labels: Int32Array): EventCuts {
  const entities = Int32Array.from(log.entities.keys());
  const times = Float64Array.from(entities, (entity) => log.times[(log.starts[entity + 1] as number) - 1] as number);
  return { times, entities, labels, horizon: 0 };
}

function labelsOfEntities(table: Table, log: EventLog, label: string, classes: readonly string[]): Int32Array {
  const names = textOf(table, label);
  return Int32Array.from(log.entities, (entity, e) => {
    const [first, end] = [log.starts[e] as number, log.starts[e + 1] as number];
    const name = names[log.rows[first] as number] as string;
    for (let event = first; event < end; event++) {
      const row = log.rows[event] as number;
      if (names[row] === name) continue;
      throw new CudnnGruError(
        'ERR_DATA',
        `${table.source}, row ${row + 2}, column ${quote(label)}: ${quote(names[row] as string)}, but ${quote(entity)} has ${quote(name)} elsewhere`,
      );
    }
    const found = classes.indexOf(name);
    if (found >= 0) return found;
    throw new CudnnGruError('ERR_DATA', `${table.source}: ${quote(name)} is none of the classes ${classes.join(', ')}`);
  });
}

function textOf(table: Table, name: string): readonly string[] {
  const column = table.columns.get(name) ?? numericColumn(table, name);
  return column instanceof Float64Array ? Array.from(column, String) : column;
}

/** A model's preprocessing, checked: it may come from a file. @throws CudnnGruError `ERR_FORMAT` */
export function eventPreprocessingOf(model: Classifier): EventClassifierPreprocessing {
  const json = classifierPreprocessingOf(model) as Partial<Record<keyof EventClassifierPreprocessing, unknown>>;
  const textOrNull = (value: unknown) => value === null || typeof value === 'string';
  const numberOrNull = (value: unknown, name: string) => value === null || checkNumber(value, name, { above: 0 });
  try {
    const { encoding } = json as { encoding: EventEncoding };
    if (json.input !== 'events' || typeof json.entity !== 'string' || typeof json.time !== 'string') throw new Error();
    const named = encoding.features.every(
      ({ name, values }) =>
        typeof name === 'string' &&
        (values === null || (Array.isArray(values) && values.every((one) => typeof one === 'string'))),
    );
    if (!named || encoding.features.map(({ name }) => name).join() !== (json.features as string[]).join())
      throw new Error();
    const scaled = encoding.features.filter(({ values }) => values === null).length + 1;
    if (Scaler.fromJSON(encoding.scaler).features !== scaled || encodedSize(encoding) !== model.gru.inputSize)
      throw new Error();
    if (!textOrNull(json.label) || (json.label === null && json.horizon === null)) throw new Error();
    numberOrNull(json.horizon, 'horizon');
    numberOrNull(json.every, 'every');
    checkPositiveInteger(json.window, 'window');
  } catch {
    throw new CudnnGruError('ERR_FORMAT', 'the model does not say how it reads events: it has no usable preprocessing');
  }
  return json as unknown as EventClassifierPreprocessing;
}
