import { checkNumber, checkOptions, checkPositiveInteger, checkString, wrongKind } from '../../arguments.js';
import type { Table } from '../../data/csv.js';
import { type EventCuts, splitCuts } from '../../data/event_cuts.js';
import { EventDataset, encodedSize, fitEventEncoding } from '../../data/event_dataset.js';
import type { EventLog } from '../../data/event_log.js';
import { randomSplit, type Split } from '../../data/splits.js';
import type { JsonValue } from '../../layers/module.js';
import type { Classifier } from './classifier.js';
import { type ClassifierEvaluation, evaluateClassifier, predictClasses } from './evaluate_classifier.js';
import {
  classesOf,
  type EventClassifierPreprocessing,
  type EventQuestion,
  eventPreprocessingOf,
  labelledCuts,
  latestCuts,
  logOf,
} from './event_inputs.js';
import {
  classifierTrainingOptions,
  type TrainClassifierOptions,
  type TrainedClassifier,
  trainClassifier,
} from './train_classifier.js';

/** What `trainEventClassifier` takes: the events, the question, the training. */
export interface TrainEventClassifierOptions
  extends Omit<
    TrainClassifierOptions,
    | 'classes'
    | 'train'
    | 'validation'
    | 'test'
    | 'inputSize'
    | 'vocabularySize'
    | 'embeddingSize'
    | 'embeddingDropout'
    | 'preprocessing'
  > {
  /** One row for each event, in any order. */
  table: Table;
  /** The column that says whose event it is. */
  entity: string;
  /** The column of times: numbers, or ISO 8601 dates and times, counted in days. */
  time: string;
  /** Columns that the model reads: numbers, or text that takes few values. */
  features: readonly string[];
  /**
   * Without `horizon`: the column that names each entity's class. With it: the column that is above 0 in the events to be foretold; without a
   * label, silence is foretold.
   */
  label?: string;
  /** How far ahead the outcome lies, in the unit of the times. Default: none, the whole log of an entity has a class. */
  horizon?: number;
  /** Time between cuts. Default: the horizon. */
  every?: number;
  /** Events that an example reads at most. Default: 50. */
  window?: number;
  /** The share that chooses the epoch and the temperature: of the time, or without a horizon of the entities. Default: 0.15. */
  validation?: number;
  /** The share at the end of the time, or of the entities, that has no part in the training. Default: 0.2. */
  test?: number;
}

const ownOptions = ['table', 'entity', 'time', 'features', 'label', 'horizon', 'every', 'window', 'validation', 'test'];

/**
 * Trains a `Classifier` on the events of many entities: what is to come (with `horizon`: churn, failures, fraud), or what an entity is
 * (without). With a horizon the parts are cut in time, and no example reads an event later than its cut; without one, entities are dealt
 * at random.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a table that cannot be used; what `Trainer.fit` throws
 */
export async function trainEventClassifier(options: TrainEventClassifierOptions): Promise<TrainedClassifier> {
  checkOptions(options, 'options', [...ownOptions, ...classifierTrainingOptions]);
  const { table, validation = 0.15, test = 0.2, seed = 0 } = options;
  const question = questionOf(options);
  const log = logOf(table, question);
  const classes = classesOf(table, question);
  const cuts = labelledCuts(table, log, question, classes);
  const { split, trainUntil } = splitOf(cuts, question, validation, test, seed);
  const seen = Int32Array.from(split.train, (cut) => cuts.entities[cut] as number);
  const encoding = fitEventEncoding(log, trainUntil, question.horizon === null ? seen : undefined);
  const part = (indices: Int32Array) =>
    new EventDataset(log, cuts, encoding, { window: question.window, cuts: indices });
  const training = Object.fromEntries(
    Object.entries(options).filter(([name]) => classifierTrainingOptions.includes(name)),
  );
  return trainClassifier({
    ...training,
    classes,
    inputSize: encodedSize(encoding),
    train: part(split.train),
    ...(split.validation.length > 0 && { validation: part(split.validation) }),
    ...(split.test.length > 0 && { test: part(split.test) }),
    preprocessing: { input: 'events', ...question, encoding } as unknown as { [key: string]: JsonValue },
  });
}

/**
 * Compares what a model says with what came: at every cut of the table whose outcome is known, or for every entity.
 *
 * @param options after: only cuts later than this time; default: all
 * @throws CudnnGruError `ERR_DATA`, `ERR_FORMAT`
 */
export async function evaluateEventClassifier(
  model: Classifier,
  table: Table,
  options: { after?: number } = {},
): Promise<ClassifierEvaluation> {
  checkOptions(options, 'options', ['after']);
  const preprocessing = eventPreprocessingOf(model);
  const log = logOf(table, preprocessing);
  const cuts = labelledCuts(table, log, preprocessing, preprocessing.classes);
  const { after = Number.NEGATIVE_INFINITY } = options;
  const late = Int32Array.from(cuts.times.keys()).filter((cut) => (cuts.times[cut] as number) > after);
  return evaluateClassifier(model, datasetOf(log, cuts, preprocessing, late));
}

/** What a model says of each entity of a table. */
export interface EntityClasses {
  readonly entities: readonly string[];
  /** [entities, classes]. */
  readonly probabilities: Float32Array;
}

/**
 * What a model says of each entity, from all its events in the table; with a horizon, of what comes after the last event of the table.
 *
 * @throws CudnnGruError `ERR_DATA`, `ERR_FORMAT`
 */
export async function classifyEntities(model: Classifier, table: Table): Promise<EntityClasses> {
  const preprocessing = eventPreprocessingOf(model);
  const log = logOf(table, preprocessing);
  const dataset = datasetOf(log, latestCuts(log, preprocessing), preprocessing);
  return { entities: log.entities, probabilities: await predictClasses(model, dataset) };
}

function datasetOf(
  log: EventLog,
  cuts: EventCuts,
  { encoding, window }: EventClassifierPreprocessing,
  chosen?: Int32Array,
): EventDataset {
  return new EventDataset(log, cuts, encoding, { window, ...(chosen && { cuts: chosen }) });
}

function questionOf(options: TrainEventClassifierOptions): EventQuestion {
  const { label = null, horizon = null, every = null, window = 50 } = options;
  if (!Array.isArray(options.features)) throw wrongKind('features', 'an array of column names', options.features);
  if (label === null && horizon === null) throw wrongKind('label', 'the column of the classes, or a horizon', label);
  return {
    entity: checkString(options.entity, 'entity'),
    time: checkString(options.time, 'time'),
    features: options.features,
    label: label === null ? null : checkString(label, 'label'),
    horizon: horizon === null ? null : checkNumber(horizon, 'horizon', { above: 0 }),
    every: every === null ? null : checkNumber(every, 'every', { above: 0 }),
    window: checkPositiveInteger(window, 'window'),
  };
}

function splitOf(
  cuts: EventCuts,
  { horizon }: EventQuestion,
  validation: number,
  test: number,
  seed: number,
): { split: Split; trainUntil: number } {
  if (horizon !== null) {
    const split = splitCuts(cuts, { validation, test });
    return { split, trainUntil: split.trainUntil };
  }
  return { split: randomSplit(cuts.entities.length, { validation, test, seed }), trainUntil: Number.POSITIVE_INFINITY };
}
