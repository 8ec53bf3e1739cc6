import type { Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import type { AnomalyDetector, TrainDetectorOptions } from '../../tasks/detection/index.js';
import { exitCodes } from '../command.js';
import type { Options } from '../options.js';
import { columns, printJson, printNote, printText } from '../output.js';
import type { LoadedModel, Task } from './task.js';
import { readTrainingRequest, trainingOptions } from './training_options.js';
import { prepareTraining, runTraining } from './training_run.js';

/** Rows of sensors or other measurements that are not as usual. */
export const detect: Task = {
  name: 'detect',
  description: 'what is normal in a series, CSV, so that anomalies stand out',
  train: {
    options: [
      ['--data <file>', 'CSV file, one row per step of time, oldest first'],
      ['--inputs <columns>', 'Columns the model reads, with commas between them'],
      ['--entity <column>', 'Column that tells one series from the other (default: there is but one)'],
      ['--label <column>', 'Column that is above 0 in rows known to be anomalous: they are left out'],
      [
        '--method <name>',
        'forecast: against what the rows before led to expect; reconstruct: by an autoencoder (default: forecast)',
      ],
      ['--window <rows>', 'Rows of a training example, and of what is reconstructed (default: 32)'],
      ['--test <share>', 'Last share of each series, never seen in training (default: 0)'],
      ['--validation <share>', 'Last share of the rest, which chooses epoch and threshold (default: 0.3)'],
      ['--quantile <share>', 'Share of normal rows below the threshold (default: 0.999)'],
      [
        '--hold <rows>',
        'Strange rows that are replaced by what was expected, one after the other (default: half a window)',
      ],
      ['--gate-factor <factor>', 'Rows are strange that are so many times the quantile of normal rows (default: 1)'],
      ['--smoothing <rows>', 'Rows over which scores are smoothed (default: 8)'],
      ...trainingOptions({ epochs: 20, hiddenSize: 32, layers: 1, dropout: 0, batchSize: 32, learningRate: 0.005 }),
    ],
    examples: [
      'train detect --data sensors.csv --inputs humidity,temperature --entity sensor --out normal.safetensors',
    ],

    async run(options) {
      const inputs = options.list('inputs') ?? [];
      const [entity, label] = [options.text('entity'), options.text('label')];
      const request = readTrainingRequest(options, {
        inputs,
        entity,
        label,
        method: options.text('method'),
        window: options.integer('window', { min: 1 }),
        validation: options.number('validation', { above: 0, below: 1 }),
        quantile: options.number('quantile', { above: 0, max: 1 }),
        test: options.number('test', { min: 0, below: 1 }),
        hold: options.integer('hold', { min: 0 }),
        gateFactor: options.number('gate-factor', { above: 0 }),
        smoothing: options.number('smoothing', { min: 0 }),
      });
      options.requiredText('inputs');
      await prepareTraining(request, options);
      const table = await readTable(request.data, inputs, entity, label);
      const { detectionTable, trainDetector, writeDetectorReport, detectionPreprocessingOf } = await import(
        '../../tasks/index.js'
      );
      const given = request.given as unknown as Omit<TrainDetectorOptions, 'table'>;
      return runTraining(request, options, (frame) => trainDetector({ ...given, ...frame, table }), {
        report: (path, trained) => writeDetectorReport(path, trained, table, label === undefined ? {} : { label }),
        text: async ({ model, evaluation }) =>
          [
            `a row is an alarm when its score is above ${detectionPreprocessingOf(model).threshold.toFixed(2)}`,
            ...(evaluation ? [detectionTable(evaluation)] : []),
          ].join('\n'),
        json: ({ model, evaluation }) => ({
          threshold: detectionPreprocessingOf(model).threshold,
          ...(evaluation && { evaluation: { ...evaluation, scores: undefined, labels: undefined } }),
        }),
      });
    },
  },

  evaluate: {
    options: [
      ['--label <column>', 'Column that is above 0 in anomalous rows'],
      ['--from <share>', 'Share of each series at its start that is left out (default: 0)'],
    ],
    examples: ['evaluate normal.safetensors --data sensors.csv --label anomaly'],
    async run(loaded, options) {
      const label = options.requiredText('label');
      const from = options.number('from', { min: 0, below: 1 });
      const { model, table } = await dataFor(loaded, options, label);
      const { detectionTable, evaluateDetector } = await import('../../tasks/index.js');
      const evaluation = await evaluateDetector(model, table, { label, ...(from !== undefined && { from }) });
      const { scores, labels, ...measured } = evaluation;
      if (options.flag('json')) {
        printJson({ model: loaded.path, data: table.source, ...measured });
        return exitCodes.success;
      }
      printText(detectionTable(evaluation));
      return exitCodes.success;
    },
  },

  predict: {
    options: [['--out <file>', 'Write the scores to this file (.csv) and not to stdout']],
    examples: ['predict normal.safetensors --data sensors.csv --out alarms.csv'],
    async run(loaded, options) {
      const out = options.text('out');
      const { model, table } = await dataFor(loaded, options);
      const found = await scoresOf(model, table);
      const alarms = found.get('alarm')?.reduce((sum, alarm) => sum + alarm, 0) ?? 0;
      if (out !== undefined) {
        const { writeCsv } = await import('../../data/csv.js');
        await writeCsv(out, found);
        printNote(options, `scores: ${out}`);
      }
      if (options.flag('json'))
        printJson({ model: loaded.path, data: table.source, alarms, ...Object.fromEntries(found) });
      else if (out === undefined) {
        const rows = Array.from({ length: table.rows }, (_, row) =>
          Array.from(found, ([name, values]) => (values[row] as number).toFixed(name === 'score' ? 3 : 0)),
        );
        printText(columns([[...found.keys()], ...rows]));
      }
      return exitCodes.success;
    },
  },
};

// Row numbers as in the file, whose header is row 1.
async function scoresOf(model: AnomalyDetector, table: Table): Promise<Map<string, number[]>> {
  const { detectionPreprocessingOf, detectionSeries, scoreRows } = await import('../../tasks/index.js');
  const { inputs, entity, threshold } = detectionPreprocessingOf(model);
  const scores = new Array<number>(table.rows).fill(0);
  for (const series of detectionSeries(table, { inputs, entity })) {
    const found = await scoreRows(model, series);
    for (const [i, row] of series.tableRows.entries()) scores[row] = found[i] as number;
  }
  return new Map([
    ['row', scores.map((_, row) => row + 2)],
    ['score', scores],
    ['alarm', scores.map((score) => Number(score > threshold))],
  ]);
}

async function readTable(
  path: string,
  inputs: readonly string[],
  entity?: string | null,
  label?: string,
): Promise<Table> {
  const { readCsv } = await import('../../data/csv.js');
  const numeric = [...inputs, ...(label === undefined ? [] : [label])];
  return readCsv(path, { numeric, ...(entity !== undefined && entity !== null && { text: [entity] }) });
}

async function dataFor(
  { path, model }: LoadedModel,
  options: Options,
  label?: string,
): Promise<{ model: AnomalyDetector; table: Table }> {
  const { AnomalyDetector, detectionPreprocessingOf } = await import('../../tasks/index.js');
  if (!(model instanceof AnomalyDetector)) {
    throw new CudnnGruError('ERR_FORMAT', `${path} holds a ${model.architecture().type}, not an AnomalyDetector`);
  }
  const { inputs, entity } = detectionPreprocessingOf(model);
  return { model, table: await readTable(options.requiredText('data'), inputs, entity, label) };
}
