import { argumentRangeError } from '../errors.js';
import {
  AnomalyDetector,
  type DetectionSeries,
  detectionPreprocessingOf,
  detectionSeries,
  scoreRows,
} from '../tasks/index.js';
import { Columns, readTable } from './request_table.js';
import type { Task } from './task_routes.js';

/** `/detect`: how unusual each row of a series is. */
export const detectTask: Task = {
  name: 'detect',
  summary: 'Scores the rows of a series, and tells which are anomalous',
  properties: { columns: Columns },

  serves: ({ model }) => model instanceof AnomalyDetector && model.preprocessing !== null,

  async answer(served, body, signal) {
    const { columns } = body as { columns: Columns };
    const model = served.model as AnomalyDetector;
    const { inputs, window, threshold } = detectionPreprocessingOf(model);
    const table = readTable(columns, { numeric: inputs, text: [], minRows: 1 });
    const steps = model.method === 'reconstruct' ? table.rows * window : table.rows;
    if (steps > served.maxSteps) {
      throw argumentRangeError(
        `columns: ${table.rows} rows are ${steps} steps for this model; ${served.maxSteps} are allowed`,
      );
    }
    const [series] = detectionSeries(table, { inputs }) as [DetectionSeries];
    const scores = Array.from(await served.compute(() => scoreRows(model, series), signal));
    return { threshold, scores, alarms: scores.map((score) => score > threshold) };
  },
};
