import { data, saveModel, tasks } from 'cudnn-gru';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { seriesTable } from '../tasks/series.js';
import { post, serve } from './run_server.js';

const inFolder = temporaryFolder();
const { Classifier, predictClasses, AnomalyDetector, detectionSeries, scoreRows } = tasks;
const preprocessing = { task: 'classify', classes: ['calm', 'wild', 'odd'], temperature: 1.5 };

const rows = new Classifier({ classes: 3, inputSize: 2, hiddenSize: 6 }).eval();
const tokens = new Classifier({ classes: 3, vocabularySize: 9, hiddenSize: 6, pooling: 'mean' }).eval();
const scaler = data.fitStandardScaler(new Float64Array([10, 0, 14, 1, 6, -1]), 2).toJSON();
const detection = {
  task: 'detect',
  inputs: ['level', 'other'],
  entity: null,
  scaler,
  errorScale: [[0.5, 0.7]],
  warmUp: [],
  gate: 9,
  hold: 0,
  smoothing: 0,
  adaptation: 0,
  window: 8,
};
// What is expected of a series' next row is near its last one.
const thresholds = { forecast: 0.3, reconstruct: 1.2 };
const detectors = (['forecast', 'reconstruct'] as const).map((method) =>
  new AnomalyDetector({ inputSize: 2, method }).eval(),
);

beforeAll(async () => {
  for (const [name, model] of Object.entries({ rows, tokens })) {
    model.preprocessing = preprocessing;
    await saveModel(inFolder(`${name}.safetensors`), model);
  }
  for (const model of detectors) {
    model.preprocessing = { ...detection, threshold: thresholds[model.method] } as never;
    await saveModel(inFolder(`${model.method}.safetensors`), model);
  }
});

/** Sequences of 1 to 12 steps. */
const sequences = Array.from({ length: 20 }, (_, i) =>
  Array.from({ length: 1 + ((5 * i) % 12) }, (_, t) => [Math.sin(i + t), Math.cos(3 * i + t)]),
);

describe('/classify', () => {
  it('gives the probabilities of predictClasses for rows of features of any lengths', async () => {
    const { url } = await serve([inFolder('rows.safetensors')]);
    const dataset = new data.SequenceDataset({ sequences, targets: sequences.map(() => 0), targetType: 'int32' });
    const expected = Array.from(await predictClasses(rows, dataset));
    const { status, json } = await post(`${url}/classify`, { sequences });
    const { classes, results } = json as { classes: string[]; results: { class: string; probabilities: number[] }[] };
    expect(status).toBe(200);
    expect(classes).toEqual(preprocessing.classes);
    expect(results.flatMap(({ probabilities }) => probabilities)).toEqual(expected);
    for (const each of results)
      expect(each.class).toBe(classes[each.probabilities.indexOf(Math.max(...each.probabilities))]);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    // One batch when the model was loaded, one for each of 1, 2, 3 and 4, 5 to 8, 9 to 12 steps.
    expect(/cudnn_gru_batch_rows_count\{model="rows"\} (\d+)/.exec(metrics)?.[1]).toBe('6');
  });

  it('takes token numbers', async () => {
    const { url } = await serve([inFolder('rows.safetensors'), inFolder('tokens.safetensors')]);
    const numbers = sequences.map((steps, i) => steps.map((_, t) => (i + t) % 9));
    const targets = numbers.map(() => 0);
    const dataset = new data.SequenceDataset({ sequences: numbers, targets, inputType: 'int32', targetType: 'int32' });
    const { json } = await post(`${url}/classify`, { model: 'tokens', sequences: numbers });
    const { results } = json as { results: { probabilities: number[] }[] };
    expect(results.flatMap(({ probabilities }) => probabilities)).toEqual(
      Array.from(await predictClasses(tokens, dataset)),
    );
  });

  it('names what is wrong', async () => {
    const { url } = await serve([inFolder('rows.safetensors'), inFolder('tokens.safetensors')]);
    const cases: [object, RegExp][] = [
      [{ sequences }, /model: name one of "rows", "tokens"/],
      [{ model: 'rows' }, /body must have required property 'sequences'/],
      [{ model: 'rows', sequences: [[]] }, /body\/sequences\/0 must NOT have fewer than 1 items/],
      [{ model: 'rows', sequences: [[[1, 2]], [1, 2]] }, /sequences\[1\]\[0\]: expected an array of 2/],
      [{ model: 'rows', sequences: [[[1, 2], [3]]] }, /sequences\[0\]\[1\]: expected 2 items/],
      [{ model: 'rows', sequences: [[[1, 'x']]] }, /sequences\[0\]\[0\]\[1\]: expected a number/],
      [{ model: 'tokens', sequences: [[1, 9]] }, /sequences\[0\]\[1\]: expected an integer from 0 to 8, got 9/],
      [{ model: 'tokens', sequences: [[1, 0.5]] }, /sequences\[0\]\[1\]: expected a 32-bit integer/],
    ];
    for (const [body, error] of cases) {
      expect(await post(`${url}/classify`, body)).toMatchObject({
        status: 400,
        json: { error: expect.stringMatching(error) },
      });
    }
  });
});

describe('/detect', () => {
  const table = seriesTable(50);
  const columns = Object.fromEntries(Array.from(table.columns, ([name, column]) => [name, [...column]]));

  it.each(detectors.map((model) => [model.method, model] as const))(
    '%s: gives the scores of scoreRows',
    async (name, model) => {
      const { url } = await serve([inFolder('forecast.safetensors'), inFolder('reconstruct.safetensors')]);
      const [series] = detectionSeries(table, detection);
      const scores = Array.from(await scoreRows(model, series as tasks.DetectionSeries));
      const alarms = scores.map((score) => score > thresholds[name]);
      expect(new Set(alarms).size).toBe(2);
      const answer = await post(`${url}/detect`, { model: name, columns });
      expect(answer).toMatchObject({ status: 200, json: { model: name, threshold: thresholds[name], scores, alarms } });
    },
  );

  it('names what is wrong', async () => {
    const { url } = await serve([inFolder('reconstruct.safetensors'), '--max-steps', '100']);
    expect(await post(`${url}/detect`, { columns: { level: [1] } })).toMatchObject({
      status: 400,
      json: { error: expect.stringMatching(/columns: "other" is missing/) },
    });
    expect(await post(`${url}/detect`, { columns })).toMatchObject({
      status: 400,
      json: { error: 'columns: 50 rows are 400 steps for this model; 100 are allowed' },
    });
  });
});
