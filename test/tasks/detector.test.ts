import { type data, loadModel, randn, saveModel, tasks } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { RowJudge } from '../../lib/tasks/detection/row_judge.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const {
  AnomalyDetector,
  DetectionStream,
  detectionSeries,
  evaluateDetector,
  rollingQuantileScores,
  rollingZScores,
  scoreRows,
  subsequenceDistances,
  trainDetector,
  zScores,
} = tasks;
const inFolder = temporaryFolder();

// Two machines whose two sensors swing together; in some rows the second does not follow. No value leaves its usual range.
function machines(rows: number, faults: readonly (readonly [from: number, to: number])[]): data.Table {
  const all = Array.from({ length: 2 * rows }, (_, i) => ({ machine: i % 2, step: Math.floor(i / 2) }));
  const faulty = ({ machine, step }: { machine: number; step: number }) =>
    machine === 1 && faults.some(([from, to]) => step >= from && step < to);
  const swing = ({ machine, step }: { machine: number; step: number }) => Math.sin(step / 3 + machine);
  const unrest = (i: number) => (((i * 7919) % 101) / 101 - 0.5) / 20;
  return {
    source: 'machines.csv',
    rows: 2 * rows,
    columns: new Map<string, Float64Array | string[]>([
      ['machine', all.map(({ machine }) => `m${machine}`)],
      ['speed', Float64Array.from(all, (row, i) => 50 + 10 * swing(row) + unrest(i))],
      ['heat', Float64Array.from(all, (row, i) => 5 + (faulty(row) ? -1 : 1) * swing(row) + unrest(i + 7))],
      ['fault', Float64Array.from(all, (row) => Number(faulty(row)))],
    ]),
  };
}

const columns = { inputs: ['speed', 'heat'], entity: 'machine' };
const small = { ...columns, window: 16, hiddenSize: 12, batchSize: 16, epochs: 6 };
const normal = machines(250, []);
const faults = [
  [60, 75],
  [120, 126],
] as const;

describe('AnomalyDetector', () => {
  it('forecasts each row from the rows before it alone, and goes on where it stopped', async () => {
    const model = new AnomalyDetector({ inputSize: 3, hiddenSize: 5, numLayers: 2 });
    const x = randn([2, 9, 3]);
    const whole = await model.forward(x).expected.data();
    const start = model.forward(x.slice(1, 0, 4));
    const rest = model.forward(x.slice(1, 4), { hidden: start.hidden, previous: x.slice(1, 3, 4) });
    const [first, second] = [await start.expected.data(), await rest.expected.data()];
    const rows = [0, 1].flatMap((b) => [...first.slice(12 * b, 12 * b + 12), ...second.slice(15 * b, 15 * b + 15)]);
    expect(rows).toEqual([...whole]);
    const next = await model.expectNext(x.slice(1, 3, 4), start.hidden).data();
    expect([...next]).toEqual([0, 1].flatMap((b) => [...whole.slice(27 * b + 12, 27 * b + 15)]));
    model.dispose();
  });

  it('expects of the first row what no row says: the bias', async () => {
    const model = new AnomalyDetector({ inputSize: 2, hiddenSize: 3 });
    const expected = await model.forward(randn([1, 4, 2])).expected.data();
    const bias = (await model.head.bias?.data()) as Float32Array;
    expect([...expected.slice(0, 2)]).toEqual([...bias]);
    model.dispose();
  });

  it('reconstructs from the last state alone, whatever lies behind the end', async () => {
    const model = new AnomalyDetector({ inputSize: 2, hiddenSize: 4, numLayers: 2, method: 'reconstruct' });
    const x = randn([1, 5, 2]);
    const { expected } = model.forward(x);
    expect(expected.shape).toEqual([1, 5, 2]);
    const short = await model.forward(x.slice(1, 0, 3)).expected.data();
    const padded = await model.forward(x, { lengths: [3] }).expected.data();
    expect([...padded.slice(0, 6)]).toEqual([...short]);
    model.dispose();
  });

  it('refuses options that cannot be', () => {
    expect(() => new AnomalyDetector({ inputSize: 2, method: 'guess' as never })).toThrow(/method/);
    expect(() => new AnomalyDetector({ inputSize: 0 })).toThrow(RangeError);
    expect(() => new AnomalyDetector({ inputSize: 2, layers: 1 } as never)).toThrow(/unknown option "layers"/);
  });
});

const thorough = {
  // The shorter fault lasts 6 rows.
  forecast: { epochs: 15, learningRate: 0.01, smoothing: 2 },
  // What goes through the narrow state must be less than a window.
  reconstruct: { window: 8, hiddenSize: 6, epochs: 40, learningRate: 0.01 },
};

describe.each(['forecast', 'reconstruct'] as const)('trainDetector, %s', (method) => {
  it('finds rows that break what holds between the sensors, which no range shows', async () => {
    const { model } = await trainDetector({ ...small, ...thorough[method], method, table: normal });
    const table = machines(200, faults);
    const evaluation = await evaluateDetector(model, table, { label: 'fault' });
    expect(evaluation.averagePrecision).toBeGreaterThan(0.6);
    expect(evaluation.averagePrecision).toBeGreaterThan(
      3 * (evaluation.baselines['z-score']?.averagePrecision as number),
    );
    expect(evaluation.events).toMatchObject({ events: 2, found: 2 });
    expect(evaluation.labelled).toBeCloseTo(21 / 400, 12);
    model.dispose();
  });

  it('judges rows that come one by one as it judges the whole, also from a file', async () => {
    const { model } = await trainDetector({
      ...small,
      method,
      table: normal,
      epochs: 2,
      smoothing: 3,
      ...(method === 'forecast' && { hold: 5 }),
    });
    const path = inFolder(`${method}.safetensors`);
    await saveModel(path, model);
    const loaded = (await loadModel(path)) as tasks.AnomalyDetector;
    const [series] = detectionSeries(machines(40, faults), columns) as [tasks.DetectionSeries];
    const scores = await scoreRows(model, series);
    const stream = new DetectionStream(loaded);
    // All at once: they are judged in order.
    const detections = await Promise.all(
      Array.from({ length: 40 }, (_, row) => stream.push(series.values.subarray(2 * row, 2 * row + 2))),
    );
    const { threshold } = tasks.detectionPreprocessingOf(loaded);
    detections.forEach(({ score, alarm }, row) => {
      expect(score).toBe(scores[row]);
      expect(alarm).toBe(score > threshold);
    });
    const late = stream.push([50, 5]);
    stream.close();
    await expect(late).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    for (const one of [model, loaded]) one.dispose();
  });

  it('is the same again with the same seed', async () => {
    const scores = async () => {
      const { model } = await trainDetector({ ...small, method, table: normal, epochs: 1, seed: 3 });
      const [series] = detectionSeries(normal, columns) as [tasks.DetectionSeries];
      const found = await scoreRows(model, series);
      model.dispose();
      return found;
    };
    expect(await scores()).toEqual(await scores());
  });
});

describe('what is normal', () => {
  it('leaves labelled rows out of the scales and the threshold', async () => {
    const wild = machines(250, []);
    const heat = wild.columns.get('heat') as Float64Array;
    const fault = wild.columns.get('fault') as Float64Array;
    for (const row of [40, 41, 300, 460]) {
      heat[row] = 1e6;
      fault[row] = 1;
    }
    const { model } = await trainDetector({ ...small, table: wild, label: 'fault', epochs: 1 });
    const { scaler, threshold } = tasks.detectionPreprocessingOf(model);
    expect(scaler.scale[1]).toBeLessThan(2);
    expect(threshold).toBeLessThan(10);
    model.dispose();
  });

  it('sets the threshold at a quantile of the scores of validation rows', async () => {
    const { model } = await trainDetector({ ...small, table: normal, epochs: 1, quantile: 0.5 });
    const { threshold } = tasks.detectionPreprocessingOf(model);
    let above = 0;
    for (const series of detectionSeries(normal, columns)) {
      const scores = await scoreRows(model, series);
      above += scores.subarray(175).filter((score) => score > threshold).length;
    }
    expect(above).toBe(75);
    model.dispose();
  });
});

describe('held rows', () => {
  const scaling = { errorScale: [[1], [2], [3]], warmUp: [], gate: 3, hold: 2, smoothing: 0, adaptation: 0 };
  const judged = (errors: number[], options: object = {}) => {
    const judge = new RowJudge({ ...scaling, ...options });
    return errors.map((error) => judge.judge(Float32Array.of(error)));
  };

  it('are measured by what so old an expectation is off by, and are no more than `hold`', () => {
    const found = judged([1, 5, 12, 12, 12, 1, 5, 1, 1, 5]);
    expect(found.map(({ score }) => score)).toEqual([1, 5, 6, 4, 12, 1, 5, 1, 1, 5]);
    expect(found.map(({ held }) => held)).toEqual([
      ...[false, true, true, false, false, false],
      // As long as there was not as much quiet as may be held, no more is.
      ...[false, false, false, true],
    ]);
  });

  it('scores are smoothed after it was decided what is held', () => {
    const found = judged([1, 5, 2], { smoothing: 1 });
    expect(found.map(({ score }) => score)).toEqual([1, 3, 2]);
    expect(found.map(({ held }) => held)).toEqual([false, true, false]);
  });

  it('the first rows are judged by what first rows are off by', () => {
    const found = judged([2, 2, 2], { warmUp: [[4], [2]], gate: 9 });
    expect(found.map(({ score }) => score)).toEqual([0.5, 1, 2]);
  });

  it('a series of larger errors comes to be judged by its own', () => {
    const many = judged(new Array<number>(2000).fill(2.8), { adaptation: 100 });
    const last = many.at(-1)?.score as number;
    // Half of a normal distribution's values are within 0.6745 deviations, and these are all on its edge.
    expect(last).toBeGreaterThan(0.66);
    expect(last).toBeLessThan(0.69);
    expect(many[10]?.score).toBeGreaterThan(2.5);
    const quiet = judged(new Array<number>(5000).fill(1e-6), { adaptation: 100 });
    expect(quiet.at(-1)?.score).toBeCloseTo(4e-6, 12);
    // What is above the gate is no example of it.
    const wild = judged([...new Array<number>(500).fill(5), 1], { adaptation: 100, hold: 0 });
    expect(wild.at(-1)?.score).toBe(1);
  });

  it('keep a lasting shift from becoming normal, for as long as is allowed', async () => {
    const rows = 300;
    const level = (row: number) => (row >= 200 ? 3 : 0) + (((row * 7919) % 101) / 101 - 0.5) / 5;
    const table = {
      source: 'level.csv',
      rows,
      columns: new Map([['x', Float64Array.from({ length: rows }, (_, row) => level(row))]]),
    };
    const early = {
      ...table,
      rows: 190,
      columns: new Map([['x', table.columns.get('x')?.slice(0, 190) as Float64Array]]),
    };
    const train = (hold: number) =>
      trainDetector({
        table: early,
        inputs: ['x'],
        window: 16,
        hiddenSize: 8,
        epochs: 5,
        hold,
        gateFactor: 2,
        smoothing: 0,
      });
    const alarms = async (hold: number) => {
      const { model } = await train(hold);
      const [series] = detectionSeries(table, { inputs: ['x'] }) as [tasks.DetectionSeries];
      const { gate } = tasks.detectionPreprocessingOf(model);
      const found = (await scoreRows(model, series)).subarray(200).filter((score) => score > gate).length;
      model.dispose();
      return found;
    };
    expect(await alarms(0)).toBeLessThan(10);
    const held = await alarms(40);
    expect(held).toBeGreaterThanOrEqual(40);
    expect(held).toBeLessThan(60);
    // The gate is so many times the highest score of normal rows.
    const options = { table: early, inputs: ['x'], window: 16, hiddenSize: 8, epochs: 1, hold: 4, smoothing: 0 };
    const gates = await Promise.all(
      [2, undefined].map(async (gateFactor) => {
        const { model } = await trainDetector({ ...options, quantile: 1, ...(gateFactor && { gateFactor }) });
        const { gate } = tasks.detectionPreprocessingOf(model);
        model.dispose();
        return gate;
      }),
    );
    expect(gates[0]).toBeCloseTo(2 * (gates[1] as number), 9);
  });
});

describe('what is chosen', () => {
  it('is the usual where nothing is labelled', async () => {
    const chosen = async (options: object) => {
      const { model } = await trainDetector({ ...small, table: normal, epochs: 1, ...options });
      const { hold, smoothing } = tasks.detectionPreprocessingOf(model);
      model.dispose();
      return { hold, smoothing };
    };
    const window = 9;
    expect(await chosen({ window })).toEqual({ hold: 5, smoothing: 8 });
    expect(await chosen({ window, hold: 2 })).toEqual({ hold: 2, smoothing: 8 });
    expect(await chosen({ window, smoothing: 0.5 })).toEqual({ hold: 5, smoothing: 0.5 });
    expect(await chosen({ window, method: 'reconstruct' })).toEqual({ hold: 0, smoothing: 0 });
  });

  it('is what finds the labelled rows of validation best', async () => {
    const table = machines(250, [[190, 240]]);
    const { model } = await trainDetector({ ...small, table, label: 'fault', epochs: 2 });
    const { hold, smoothing } = tasks.detectionPreprocessingOf(model);
    const precision = async (change: object) => {
      model.preprocessing = { ...(model.preprocessing as object), ...change } as never;
      return (await evaluateDetector(model, table, { label: 'fault', from: 0.7 })).averagePrecision;
    };
    const chosen = await precision({});
    const { errorScale } = tasks.detectionPreprocessingOf(model);
    expect(chosen).toBeGreaterThanOrEqual(await precision({ smoothing: smoothing === 0 ? 8 : 0, hold, errorScale }));
    model.dispose();
  });
});

describe('test rows', () => {
  const faulty = machines(250, [[200, 215]]);
  const share = { label: 'fault', test: 0.3, epochs: 1 };

  it('have no part in the training', async () => {
    const changed = machines(250, [[200, 215]]);
    const heat = changed.columns.get('heat') as Float64Array;
    for (let i = 2 * 175; i < heat.length; i++) heat[i] = (heat[i] as number) * 1000;
    const train = async (table: data.Table) => {
      const { model } = await trainDetector({ ...small, ...share, table });
      const weights = [...((await model.head.weight.data()) as Float32Array)];
      const found = { weights, preprocessing: model.preprocessing };
      model.dispose();
      return found;
    };
    expect(await train(changed)).toEqual(await train(faulty));
  });

  it('are what is evaluated', async () => {
    const { model, evaluation } = await trainDetector({ ...small, ...share, table: faulty });
    expect(evaluation).toEqual(await evaluateDetector(model, faulty, { label: 'fault', from: 1 - share.test }));
    expect(evaluation?.labels.length).toBe(2 * 75);
    const table = tasks.detectionTable(evaluation as tasks.DetectorEvaluation);
    for (const name of ['GRU', 'z-score', 'rolling z-score', 'rolling quantile', 'sub-sequence distance']) {
      expect(table).toContain(`  ${name} `);
    }
    expect(table).toContain('150 rows, 10.00 % of them anomalous');
    model.dispose();
  });
});

describe('without a model', () => {
  const series = (values: number[]): tasks.DetectionSeries => ({
    entity: '',
    tableRows: Int32Array.from(values.keys()),
    values: Float64Array.from(values),
    labels: null,
  });

  it('z-scores by the first rows', () => {
    expect([...zScores(series([1, 3, 5, 2]), 2)]).toEqual([1, 1, 3, 0]);
    expect([...zScores(series([4, 4, 5]), 2)]).toEqual([0, 0, 1]);
  });

  it('rolling quantiles by the rows before', () => {
    const values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 4];
    const scores = rollingQuantileScores(series(values), 9);
    // Before the tenth row, 0 to 8: from 0 to 8 at their 5% and 95%.
    expect(scores[9]).toBeCloseTo((20 - 8) / 8, 12);
    expect(scores[10]).toBe(0);
    expect(scores[7]).toBe(0);
  });

  it('rolling z-scores by the rows before', () => {
    const scores = rollingZScores(series([9, 1, 3, 1, 3, 1, 3, 1, 3, 5]), 8);
    expect(scores.slice(0, 8)).toEqual(new Float64Array(8));
    expect(scores[9]).toBeCloseTo(3, 12);
  });

  it('distances of sub-sequences: as computed pair by pair', async () => {
    const values = Array.from(
      { length: 60 },
      (_, i) => 40 + Math.sin(i / 2) + (i === 33 ? 2 : 0) + ((i * 37) % 11) / 20,
    );
    const length = 6;
    const shapes = Array.from({ length: 60 - length + 1 }, (_, i) => {
      const part = values.slice(i, i + length);
      const mean = part.reduce((sum, value) => sum + value, 0) / length;
      const deviation = Math.sqrt(part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length);
      return part.map((value) => (value - mean) / deviation);
    });
    const nearestOf = (apart: (i: number, j: number) => number) =>
      shapes.map((one, i) =>
        Math.min(
          ...shapes
            .filter((_, j) => apart(i, j) >= length / 2)
            .map(
              (other) => Math.hypot(...one.map((value, k) => value - (other[k] as number))) / (2 * Math.sqrt(length)),
            ),
        ),
      );
    const nearest = nearestOf((i, j) => Math.abs(i - j));
    const earlier = nearestOf((i, j) => i - j);
    const expected = values.map((_, row) => {
      const holding = nearest.slice(Math.max(0, row - length + 1), row + 1);
      return holding.reduce((sum, value) => sum + value, 0) / holding.length;
    });
    const { all, past } = await subsequenceDistances(series(values), length);
    expected.forEach((value, row) => {
      expect(all[row]).toBeCloseTo(value, 9);
      // The first subsequence that has an earlier one begins with row 3 and ends with row 8.
      expect(past[row]).toBeCloseTo(row < 8 ? 0 : (earlier[row - length + 1] as number), 9);
    });
    // What comes later has no part in it.
    const begun = await subsequenceDistances(series(values.slice(0, 40)), length);
    begun.past.forEach((value, row) => {
      expect(past[row]).toBeCloseTo(value, 9);
    });
  });

  it('distances of sub-sequences: what never changes, and too few rows', async () => {
    const zeros = (rows: number) => ({ all: new Float64Array(rows), past: new Float64Array(rows) });
    expect(await subsequenceDistances(series(new Array<number>(20).fill(0.1)), 4)).toEqual(zeros(20));
    expect(await subsequenceDistances(series([1, 2, 3]), 2)).toEqual(zeros(3));
    await expect(subsequenceDistances(series([1, 2, 3]), 1)).rejects.toThrow(/length/);
  });
});

it('refuses bad input', async () => {
  await expect(trainDetector({ ...small, table: normal, inputs: [] })).rejects.toThrow(/no window|inputs/);
  await expect(trainDetector({ ...small, table: normal, inputs: ['sped'] })).rejects.toThrow(
    /no column "sped" \(did you mean "speed"/,
  );
  await expect(trainDetector({ ...small, table: normal, method: 'reconstruct', hold: 3 })).rejects.toThrow(
    /hold: expected an integer >= 0 and <= 0/,
  );
  await expect(trainDetector({ ...small, table: normal, smoothing: -1 })).rejects.toThrow(/smoothing/);
  await expect(trainDetector({ ...small, table: normal, gateFactor: 0 })).rejects.toThrow(/gateFactor/);
  await expect(trainDetector({ ...small, table: normal, validation: 1 })).rejects.toThrow(/validation/);
  await expect(trainDetector({ ...small, table: normal, window: 300 })).rejects.toMatchObject({ code: 'ERR_DATA' });
  const { model } = await trainDetector({ ...small, table: normal, epochs: 1 });
  await expect(evaluateDetector(model, normal, { label: 'fault' })).rejects.toThrow(/all rows have the same label/);
  await expect(evaluateDetector(model, normal, {} as never)).rejects.toThrow(/label/);
  const stream = new DetectionStream(model);
  expect(() => stream.push([1])).toThrow(/row: expected 2 numbers \(speed, heat\)/);
  expect(() => stream.push([1, Number.NaN])).toThrow(/row\[1\] \(heat\)/);
  expect(() => new DetectionStream(new AnomalyDetector({ inputSize: 2 }))).toThrow(/what is normal/);
  stream.close();
  model.dispose();
});
