import { loadModel, randn, saveModel, tasks } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { cut, disturbed, seriesTable } from './series.js';

const { evaluateForecaster, Forecaster, preprocessingOf, trainForecaster } = tasks;
type Forecaster = tasks.Forecaster;
type TrainForecasterOptions = tasks.TrainForecasterOptions;

const table = seriesTable(200);
const inFolder = temporaryFolder();

const small = {
  target: 'level',
  inputs: ['other'],
  time: 'date',
  window: 12,
  horizon: 3,
  hiddenSize: 6,
  batchSize: 16,
  epochs: 2,
};
const train = (options: Partial<TrainForecasterOptions> = {}) => trainForecaster({ table, ...small, ...options });
const weightsOf = async (model: Forecaster) => Object.entries(await model.stateDict());

describe('Forecaster', () => {
  it('gives one change for each row of the horizon', () => {
    const model = new Forecaster({ inputSize: 4, horizon: 5, hiddenSize: 7, numLayers: 3 });
    expect(model.forward(randn([2, 11, 4])).shape).toEqual([2, 5]);
    expect(Array.from(model.namedParameters(), ([name]) => name)).toContain('gru.weight_ih_l2');
    model.dispose();
  });

  it('refuses options that cannot be', () => {
    expect(() => new Forecaster({ inputSize: 4, horizon: 0 })).toThrow(RangeError);
    expect(() => new Forecaster({ inputSize: 4, horizon: 1, dropout: 1 })).toThrow(/dropout/);
    expect(() => new Forecaster({ inputSize: 4, horizon: 1, layers: 2 } as never)).toThrow(/unknown option "layers"/);
  });

  it('forecasts changes: a head of zeros repeats the last value', async () => {
    const { model } = await train();
    model.head.weight.write(new Float32Array(model.head.weight.size));
    model.head.bias?.write(new Float32Array(3));
    const level = table.columns.get('level') as Float64Array;
    const { data, shape } = await model.predict(table, [0, 50]);
    expect(shape).toEqual([2, 3]);
    expect([...data]).toEqual([11, 11, 11, 61, 61, 61].map((row) => Math.fround(level[row] as number)));
    // A head that answers a constant c forecasts c standard deviations of the target more.
    model.head.bias?.write(Float32Array.of(0, 1, -2));
    const scale = preprocessingOf(model).scaling[0]?.target.scale[0] as number;
    const moved = await model.predict(table, [50]);
    const last = level[61] as number;
    expect([...moved.data]).toEqual([last, last + scale, last - 2 * scale].map((value) => expect.closeTo(value, 5)));
    model.dispose();
  });

  it('forecasts the same for a window, whatever is asked for with it', async () => {
    const { model } = await train();
    const all = await model.predict(
      table,
      Int32Array.from({ length: 189 }, (_, start) => start),
    );
    const one = await model.predict(table, [100]);
    expect(one.data).toEqual(all.data.slice(300, 303));
    // Without starts: behind the last row.
    expect((await model.predict(table)).data).toEqual(all.data.slice(-3));
    model.dispose();
  });

  it('does not look ahead: rows behind a window do not change its forecast', async () => {
    const { model } = await train();
    const before = await model.predict(table, [100]);
    expect((await model.predict(disturbed(table, 112), [100])).data).toEqual(before.data);
    expect((await model.predict(disturbed(table, 111), [100])).data).not.toEqual(before.data);
    model.dispose();
  });

  it('gives the same forecasts after saving and loading', async () => {
    const { model } = await train();
    await saveModel(inFolder('model.safetensors'), model);
    const loaded = await loadModel(inFolder('model.safetensors'));
    expect(loaded).toBeInstanceOf(Forecaster);
    expect(loaded.preprocessing).toEqual(model.preprocessing);
    expect(loaded.summary).toEqual(model.summary);
    expect((await (loaded as Forecaster).predict(table)).data).toEqual((await model.predict(table)).data);
    model.dispose();
    loaded.dispose();
  });

  it('refuses a table that it cannot read', async () => {
    const { model } = await train();
    await expect(model.predict(cut(table, 11))).rejects.toThrow(/series has 11 rows; the model reads windows of 12/);
    await expect(model.predict(table, [189])).rejects.toThrow(RangeError);
    const without = { ...table, columns: new Map([...table.columns].filter(([name]) => name !== 'other')) };
    await expect(model.predict(without)).rejects.toThrow(/no column "other"/);
    model.preprocessing = null;
    await expect(model.predict(table)).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    model.dispose();
  });
});

describe('trainForecaster', () => {
  it('leaves the test rows out of everything but the evaluation', async () => {
    const options = { test: 40, validation: 30 };
    const one = await train(options);
    const other = await trainForecaster({ ...small, ...options, table: disturbed(table, 160) });
    expect(await weightsOf(other.model)).toEqual(await weightsOf(one.model));
    expect(other.model.preprocessing).toEqual(one.model.preprocessing);
    expect(other.evaluation?.errors).not.toEqual(one.evaluation?.errors);
    // The rows before are seen.
    const third = await trainForecaster({ ...small, ...options, table: disturbed(table, 129) });
    expect(await weightsOf(third.model)).not.toEqual(await weightsOf(one.model));
    for (const { model } of [one, other, third]) model.dispose();
  });

  it('fits the scalers on the training rows, not on those of validation', async () => {
    const one = await train({ test: 40, validation: 30 });
    const other = await trainForecaster({ ...small, test: 40, validation: 30, table: disturbed(table, 130) });
    const scalers = ({ model }: tasks.TrainedForecaster) =>
      preprocessingOf(model).scaling.map(({ inputs, target }) => ({ inputs, target }));
    expect(scalers(other)).toEqual(scalers(one));
    one.model.dispose();
    other.model.dispose();
  });

  it('learns: the loss falls, and on the test rows the model beats repeating the last value', async () => {
    const { model, result, evaluation } = await train({ epochs: 30, hiddenSize: 12, dropout: 0 });
    const losses = result.history.map(({ trainLoss }) => trainLoss);
    expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number));
    expect(evaluation?.errors.meanMae).toBeLessThan(0.9 * (evaluation?.baselines.persistence?.meanMae as number));
    model.dispose();
  });

  it('gives the same bits for the same seed', async () => {
    const one = await train({ seed: 3 });
    const same = await train({ seed: 3 });
    const other = await train({ seed: 4 });
    expect(await weightsOf(same.model)).toEqual(await weightsOf(one.model));
    expect(await weightsOf(other.model)).not.toEqual(await weightsOf(one.model));
    for (const { model } of [one, same, other]) model.dispose();
  });

  it('works without times, other inputs, validation and test', async () => {
    const options = { target: 'level', window: 12, horizon: 1, epochs: 1, hiddenSize: 4, validation: 0, test: 0 };
    const { model, result, evaluation } = await trainForecaster({ table, ...options });
    expect(evaluation).toBeNull();
    expect(result.history[0]?.validationLoss).toBeNull();
    expect(preprocessingOf(model)).toMatchObject({ inputs: ['level'], time: null, calendar: [], trainedUntil: null });
    expect(model.gru.inputSize).toBe(1);
    model.dispose();
  });

  it('refuses options and tables that cannot be', async () => {
    await expect(train({ target: 'levle' })).rejects.toThrow(/no column "levle" \(did you mean "level"\?\)/);
    await expect(train({ inputs: 'other' as never })).rejects.toThrow(TypeError);
    await expect(train({ window: 0 })).rejects.toThrow(RangeError);
    await expect(train({ calendar: ['month' as never] })).rejects.toThrow(/calendar\[0\]/);
    await expect(train({ table: cut(table, 10) })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(train({ targets: 'level' } as never)).rejects.toThrow(/unknown option "targets"/);
  });
});

describe('evaluateForecaster', () => {
  it('counts the windows whose whole horizon lies in the rows asked for', async () => {
    const { model, evaluation } = await train({ test: 40 });
    expect(evaluation?.starts.length).toBe(38);
    expect(evaluation?.starts[0]).toBe(160 - 12);
    // The default: what is later than the training data.
    expect((await evaluateForecaster(model, table)).errors).toEqual(evaluation?.errors);
    const last = await evaluateForecaster(model, table, { last: 3 });
    const level = table.columns.get('level') as Float64Array;
    expect([...last.truth]).toEqual([...level.slice(197)].map(Math.fround));
    await expect(evaluateForecaster(model, table, { last: 2 })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(evaluateForecaster(model, cut(table, 160))).rejects.toThrow(/no row later than "2020-06-08"/);
    model.dispose();
  });
});
