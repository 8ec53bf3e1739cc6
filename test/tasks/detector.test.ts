import { type data, loadModel, randn, saveModel, tasks } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';

const {
  AnomalyDetector,
  DetectionStream,
  detectionSeries,
  evaluateDetector,
  rollingQuantileScores,
  scoreRows,
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
    const rest = model.forward(x.slice(1, 4), { hidden: start.hidden });
    const [first, second] = [await start.expected.data(), await rest.expected.data()];
    const rows = [0, 1].flatMap((b) => [...first.slice(12 * b, 12 * b + 12), ...second.slice(15 * b, 15 * b + 15)]);
    expect(rows).toEqual([...whole]);
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
  forecast: { epochs: 15, learningRate: 0.01 },
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
    const { model } = await trainDetector({ ...small, method, table: normal, epochs: 2 });
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
      expect(score).toBeCloseTo(scores[row] as number, 9);
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
});

it('refuses bad input', async () => {
  await expect(trainDetector({ ...small, table: normal, inputs: [] })).rejects.toThrow(/no window|inputs/);
  await expect(trainDetector({ ...small, table: normal, inputs: ['sped'] })).rejects.toThrow(
    /no column "sped" \(did you mean "speed"/,
  );
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
