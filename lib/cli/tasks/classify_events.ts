import type { Table } from '../../data/csv.js';
import type { Classifier, TrainEventClassifierOptions } from '../../tasks/classification/index.js';
import { exitCodes } from '../command.js';
import type { Options } from '../options.js';
import { printAnswers } from './classify_answers.js';
import { classificationEnd, printEvaluation } from './classify_results.js';
import type { OptionList } from './task.js';
import { readTrainingRequest } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

/** What the training on an event log takes beside the options of every classifier. */
export const eventOptions: OptionList = [
  ['--entity <column>', 'events: Column that says whose event it is'],
  ['--time <column>', 'events: Column of times: numbers, or dates and times, which are counted in days'],
  ['--features <columns>', 'events: Columns that describe an event, with commas between them: numbers, or kinds'],
  ['--horizon <time>', 'events: How far ahead the outcome lies; without --label it is foretold that nothing happens'],
  ['--every <time>', 'events: Time between the moments that are learned from (default: the horizon)'],
  ['--window <events>', 'events: Events that one example reads at most (default: 50)'],
];

/** Trains on a CSV file with one row per event. */
export async function trainOnEvents(options: Options, common: Readonly<Record<string, unknown>>): Promise<number> {
  const [entity, time] = [options.requiredText('entity'), options.requiredText('time')];
  const request = readTrainingRequest(options, {
    ...common,
    entity,
    time,
    features: options.list('features') ?? [],
    label: options.text('label'),
    horizon: options.number('horizon', { above: 0 }),
    every: options.number('every', { above: 0 }),
    window: options.integer('window', { min: 1 }),
  });
  await prepareTraining(request, options);
  const table = await readEvents(request.data);
  const { trainEventClassifier } = await import('../../tasks/index.js');
  const given = request.given as unknown as Omit<TrainEventClassifierOptions, 'table'>;
  return runTraining(
    request,
    options,
    (frame) => trainEventClassifier({ ...given, ...frame, table }),
    await classificationEnd(),
  );
}

export async function evaluateEvents(path: string, model: Classifier, options: Options): Promise<number> {
  const after = options.number('after', {});
  const table = await readEvents(options.requiredText('data'));
  const { evaluateEventClassifier } = await import('../../tasks/index.js');
  const evaluation = await evaluateEventClassifier(model, table, after === undefined ? {} : { after });
  await printEvaluation({ path, model }, table.source, evaluation, options);
  return exitCodes.success;
}

export async function predictEvents(path: string, model: Classifier, options: Options): Promise<number> {
  const table = await readEvents(options.requiredText('data'));
  const { classifyEntities, classifierPreprocessingOf } = await import('../../tasks/index.js');
  const { entities, probabilities } = await classifyEntities(model, table);
  const { classes } = classifierPreprocessingOf(model);
  const answers = { kind: 'entity', examples: entities, classes, probabilities };
  return printAnswers({ model: path, data: table.source, ...answers }, options);
}

async function readEvents(path: string): Promise<Table> {
  const { readCsv } = await import('../../data/csv.js');
  return readCsv(path);
}
