import { noGrad } from '../../autograd/tape.js';
import { CudnnGruError } from '../../errors.js';
import { concat } from '../../ops/index.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import { chooseScoring, type GivenScoring, type Scoring, scoringCandidates, usualScoring } from './choose_scoring.js';
import { type DetectionSeries, scaledRows } from './detection_series.js';
import type { AnomalyDetector } from './detector.js';
import type { DetectionPreprocessing } from './preprocessing.js';
import { RowJudge } from './row_judge.js';
import { readAll } from './score_rows.js';

const runs = 256;
// The quantile by which the errors of the first rows are compared with those of the rest.
const rare = 0.99;
// In units of a feature's own deviation.
const leastSpread = 1e-3;
// Fewer errors than this say nothing of their spread.
const enough = 8;

/** @internal What the rows after the training rows say of the errors and scores of normal rows. */
export type Calibration = Pick<
  DetectionPreprocessing,
  'errorScale' | 'warmUp' | 'gate' | 'hold' | 'smoothing' | 'threshold'
>;

/**
 * @internal Measures normal rows: the spread of their errors, also after rows that the model did not see, the gate and the threshold as
 * quantiles of their scores. Chooses `hold` and `smoothing` when they are not given and some of these rows are labelled.
 *
 * @param settings boundary: of a series' rows, the first that training has not seen
 */
export async function calibrateDetector(
  model: AnomalyDetector,
  series: readonly DetectionSeries[],
  settings: Pick<DetectionPreprocessing, 'scaler' | 'window' | 'adaptation'> &
    GivenScoring & {
      readonly gateFactor: number;
      readonly quantile: number;
      readonly boundary: (rows: number) => number;
    },
): Promise<Calibration> {
  const { window, quantile, gateFactor, boundary, adaptation } = settings;
  const parts = series.map((one) => {
    const from = boundary(one.tableRows.length);
    return { rows: scaledRows(one, settings), from, labels: one.labels, normal: normalRows(one, from, window) };
  });
  if (parts.every(({ normal }) => normal.length === 0)) {
    throw new CudnnGruError('ERR_DATA', 'no normal row is left for validation');
  }
  const errors = await normalErrors(model, parts, settings);
  const first = errors.map(spread);
  const labelled = parts.some(({ labels, from }) => labels?.subarray(from).includes(1));
  const { method } = model;
  const candidates = labelled ? scoringCandidates(method, window, settings) : [usualScoring(method, window, settings)];
  const longest = candidates.reduce((most, { hold }) => Math.max(most, hold), 0);
  const { held, warmUp } = await measureRuns(model, parts, { window, hold: longest }, errors);
  const errorScale = [first, ...held];
  const scoreQuantile = async (scoring: Scoring & { gate: number }) => {
    const kept: number[] = [];
    for (const { rows, normal } of parts) {
      const scores = await readAll(model, rows, settings, new RowJudge({ errorScale, warmUp, adaptation, ...scoring }));
      for (const row of normal) kept.push(scores[row] as number);
    }
    return quantileOf(kept, quantile);
  };
  const gate = gateFactor * (await scoreQuantile({ gate: Number.POSITIVE_INFINITY, hold: 0, smoothing: 0 }));
  const trials = parts.map((part) => ({ ...part, labels: part.labels ?? new Uint8Array(0) }));
  const scoring = await chooseScoring(model, trials, candidates, { window, errorScale, warmUp, gate, adaptation });
  const threshold = await scoreQuantile({ gate, ...scoring });
  return { errorScale: errorScale.slice(0, scoring.hold + 1), warmUp, gate, ...scoring, threshold };
}

interface Part {
  /** [rows, features], scaled. */
  readonly rows: Float32Array;
  /** Rows that say what is normal. */
  readonly normal: readonly number[];
}

// The sizes of the errors of normal rows, of each feature.
async function normalErrors(
  model: AnomalyDetector,
  parts: readonly Part[],
  settings: Pick<DetectionPreprocessing, 'window'>,
): Promise<number[][]> {
  const errors: number[][] = Array.from({ length: model.gru.inputSize }, () => []);
  for (const { rows, normal } of parts) {
    const wanted = new Set(normal);
    let row = 0;
    const judge = (ofRow: Float32Array) => {
      if (wanted.has(row++)) for (const [k, error] of ofRow.entries()) errors[k % errors.length]?.push(Math.abs(error));
      return { score: 0, held: false };
    };
    await readAll(model, rows, settings, { judge });
  }
  return errors;
}

// The rows from `boundary` on that are not labelled; an anomaly is still in the state, or in the window, for a while.
function normalRows({ labels, tableRows }: DetectionSeries, boundary: number, window: number): number[] {
  return Array.from({ length: tableRows.length - boundary }, (_, i) => boundary + i).filter(
    (row) => !labels?.subarray(Math.max(0, row - window), row + 1).includes(1),
  );
}

interface Runs {
  /** How far rows are from what was expected of them 2 to hold + 1 rows before: [hold, features], never falling. */
  readonly held: number[][];
  readonly warmUp: number[][];
}

// Lets the model read a window from its beginning, and go on alone behind it, at many places.
async function measureRuns(
  model: AnomalyDetector,
  parts: readonly Part[],
  { window, hold }: Pick<DetectionPreprocessing, 'window' | 'hold'>,
  normal: readonly (readonly number[])[],
): Promise<Runs> {
  if (model.method !== 'forecast') return { held: [], warmUp: [] };
  const features = model.gru.inputSize;
  const all = parts.flatMap(({ rows, normal }) => normal.filter((row) => row >= window).map((row) => ({ rows, row })));
  const stride = Math.max(1, all.length / runs);
  const places = Array.from(
    { length: Math.min(all.length, runs) },
    (_, i) => all[Math.floor(i * stride)] as (typeof all)[number],
  );
  const first = normal.map(spread);
  if (places.length < enough) return { held: Array.from({ length: hold }, () => [...first]), warmUp: [] };
  const read = new Float32Array(places.length * window * features);
  for (const [i, { rows, row }] of places.entries()) {
    read.set(rows.subarray((row + 1 - window) * features, (row + 1) * features), i * window * features);
  }
  const expected = scope(() =>
    noGrad(() => {
      const x = upload(read, [places.length, window, features], model.head.weight.on);
      const start = model.forward(x);
      const found = [start.expected];
      let { hidden } = start;
      let previous = x.slice(1, window - 1);
      for (let k = 0; k <= hold; k++) {
        previous = model.expectNext(previous, hidden);
        found.push(previous);
        ({ hidden } = model.gru.forward(previous, { initialHidden: hidden }));
      }
      return concat(found, 1);
    }),
  );
  try {
    const guess = (await expected.data()) as Float32Array;
    const length = window + hold + 1;
    // Of the rows at `step`, counted from the beginning of the window.
    const errorsAt = (step: number, f: number) =>
      places.flatMap(({ rows, row }, i) => {
        const value = rows[(row + 1 - window + step) * features + f];
        return value === undefined ? [] : [Math.abs(value - (guess[(i * length + step) * features + f] as number))];
      });
    const held: number[][] = [];
    for (let k = 1; k <= hold; k++) {
      held.push(
        Array.from(held.at(-1) ?? first, (least, f) => {
          const errors = errorsAt(window + k, f);
          return errors.length < enough ? least : Math.max(least, spread(errors));
        }),
      );
    }
    const warmUp: number[][] = [];
    const usual = normal.map((errors) => Math.max(leastSpread, quantileOf(errors, rare)));
    for (let step = window - 1; step >= 0; step--) {
      const behind = warmUp[0] ?? usual.map(() => 1);
      // Of the first row nothing is known; its error counts as 0.
      warmUp.unshift(
        behind.map((least, f) =>
          step === 0 ? least : Math.max(least, quantileOf(errorsAt(step, f), rare) / (usual[f] as number)),
        ),
      );
    }
    return { held, warmUp };
  } finally {
    expected.dispose();
  }
}

// The standard deviation of normal errors, by their median, which wild ones do not move; at least a thousandth of the feature's own.
function spread(errors: readonly number[]): number {
  return Math.max(leastSpread, quantileOf(errors, 0.5) / 0.6745);
}

// The least value that at least this share of the values is not above.
function quantileOf(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.min(sorted.length, Math.ceil(share * sorted.length)) - 1)] as number;
}
