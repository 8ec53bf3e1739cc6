import { data, loadModel, metrics, randn, saveModel, tasks, tensor } from 'cudnn-gru';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';

const { Classifier, evaluateClassifier, predictClasses, trainClassifier } = tasks;
const inFolder = temporaryFolder();

// Whether a sequence rises or falls from its first step to its last, at lengths of 3 to 12: nothing but its ends tells.
function ends(count: number, seed: number): data.SequenceDataset {
  let state = seed;
  const next = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
  const sequences = Array.from({ length: count }, () =>
    Array.from({ length: 3 + Math.floor(10 * next()) }, () => [2 * next() - 1, next()]),
  );
  const targets = sequences.map((steps) => Number((steps.at(-1)?.[0] as number) > (steps[0]?.[0] as number)));
  return new data.SequenceDataset({ sequences, targets, targetType: 'int32' });
}

// A token number of 3 or above somewhere makes it class 1; nothing else counts.
function tokens(count: number): data.SequenceDataset {
  const sequences = Array.from({ length: count }, (_, i) =>
    Array.from({ length: 2 + (i % 5) }, (_, step) => (i % 2 === 1 && step === i % (2 + (i % 5)) ? 3 : (i + step) % 3)),
  );
  return new data.SequenceDataset({
    sequences,
    targets: sequences.map((_, i) => i % 2),
    inputType: 'int32',
    targetType: 'int32',
  });
}

const small = { classes: ['falls', 'rises'], inputSize: 2, hiddenSize: 12, epochs: 12, learningRate: 0.01 };

describe('Classifier', () => {
  it.each(['last', 'mean', 'max'] as const)('gives one score for each class, pooling %s', (pooling) => {
    const model = new Classifier({ classes: 4, inputSize: 3, hiddenSize: 5, numLayers: 2, pooling });
    expect(model.forward(randn([2, 7, 3])).shape).toEqual([2, 4]);
    expect(model.forward(randn([2, 7, 3]), { lengths: [7, 1] }).shape).toEqual([2, 4]);
    model.dispose();
  });

  it.each(['last', 'mean', 'max'] as const)('reads nothing behind the end of a row, pooling %s', async (pooling) => {
    const model = new Classifier({ classes: 3, vocabularySize: 9, hiddenSize: 5, numLayers: 2, pooling });
    const short = model.forward(tensor([[1, 2, 3]], undefined, { dtype: 'int32' }));
    const padded = model.forward(tensor([[1, 2, 3, 8, 8]], undefined, { dtype: 'int32' }), { lengths: [3] });
    expect(await padded.data()).toEqual(await short.data());
    model.dispose();
  });

  it('pools the last states of both directions', async () => {
    const model = new Classifier({ classes: 2, inputSize: 3, hiddenSize: 2, numLayers: 2 });
    const x = randn([1, 4, 3]);
    const { output } = model.gru.forward(x);
    const all = await output.data();
    const weight = await model.head.weight.data();
    const bias = (await model.head.bias?.data()) as Float32Array;
    // Forwards the last step's, backwards the first step's.
    const read = [all[3 * 4], all[3 * 4 + 1], all[2], all[3]] as number[];
    const expected = [0, 1].map((c) =>
      read.reduce((sum, v, i) => sum + v * (weight[4 * c + i] as number), bias[c] as number),
    );
    const logits = await model.forward(x).data();
    expect([...logits]).toEqual(expected.map((value) => expect.closeTo(value, 5)));
    model.dispose();
  });

  it('refuses options that cannot be', () => {
    expect(() => new Classifier({ classes: 2 })).toThrow(
      /inputSize: expected a number of features, or a vocabularySize/,
    );
    expect(() => new Classifier({ classes: 2, inputSize: 3, vocabularySize: 5 })).toThrow(TypeError);
    expect(() => new Classifier({ classes: 0, inputSize: 3 })).toThrow(RangeError);
    expect(() => new Classifier({ classes: 2, inputSize: 3, pooling: 'first' as never })).toThrow(/pooling/);
  });
});

describe('trainClassifier', () => {
  it('learns what the ends of a sequence say, and gives true probabilities', async () => {
    const { model, evaluation } = await trainClassifier({
      ...small,
      train: ends(600, 1),
      validation: ends(300, 2),
      test: ends(300, 3),
    });
    expect(evaluation?.scores.accuracy).toBeGreaterThan(0.9);
    expect(evaluation?.rocAuc).toBeGreaterThan(0.97);
    expect(evaluation?.majorityAccuracy).toBeLessThan(0.6);
    expect(evaluation?.reliability.expectedCalibrationError).toBeLessThan(0.08);
    model.dispose();
  });

  it('learns from token numbers', async () => {
    const { model, evaluation } = await trainClassifier({
      classes: ['without', 'with'],
      vocabularySize: 4,
      embeddingSize: 8,
      hiddenSize: 8,
      pooling: 'max',
      train: tokens(200),
      test: tokens(60),
      epochs: 10,
      learningRate: 0.02,
    });
    expect(evaluation?.scores.accuracy).toBe(1);
    model.dispose();
  });

  it('is the same again with the same seed, and travels in a model file', async () => {
    const options = { ...small, epochs: 2, dropout: 0.2, train: ends(100, 1), validation: ends(50, 2) };
    const [one, two] = [await trainClassifier(options), await trainClassifier(options)];
    const test = ends(30, 5);
    const expected = await predictClasses(one.model, test);
    expect(await predictClasses(two.model, test)).toEqual(expected);
    expect(one.evaluation).toBeNull();
    const path = inFolder('classifier.safetensors');
    await saveModel(path, one.model);
    const loaded = (await loadModel(path)) as tasks.Classifier;
    expect(await predictClasses(loaded, test)).toEqual(expected);
    expect(loaded.preprocessing).toMatchObject({ task: 'classify', classes: small.classes });
    for (const model of [one.model, two.model, loaded]) model.dispose();
  });

  it('divides by the temperature, which changes no decision', async () => {
    const { model } = await trainClassifier({ ...small, epochs: 2, train: ends(100, 1) });
    const test = ends(40, 6);
    const plain = await evaluateClassifier(model, test);
    model.preprocessing = { ...(model.preprocessing as object), temperature: 2 };
    const softer = await evaluateClassifier(model, test);
    expect(softer.scores.accuracy).toBe(plain.scores.accuracy);
    for (const [i, p] of plain.probabilities.entries()) {
      const odds = p / (1 - p);
      expect(softer.probabilities[i]).toBeCloseTo(Math.sqrt(odds) / (1 + Math.sqrt(odds)), 4);
    }
    expect(plain.logLoss).toBeCloseTo(metrics.logLoss(plain.probabilities, plain.labels, 2), 12);
    model.dispose();
  });

  it('weighs a rare class up', async () => {
    // Nothing tells the classes apart, one in ten is of the second: the weights decide what is said.
    const sequences = Array.from({ length: 200 }, () => [[1, 1]]);
    const train = new data.SequenceDataset({
      sequences,
      targets: sequences.map((_, i) => Number(i % 10 === 0)),
      targetType: 'int32',
    });
    const probability = async (classWeights?: 'balanced' | number[]) => {
      const { model } = await trainClassifier({ ...small, epochs: 30, train, ...(classWeights && { classWeights }) });
      const [, second] = await predictClasses(model, train);
      model.dispose();
      return second;
    };
    expect(await probability()).toBeCloseTo(0.1, 1);
    expect(await probability('balanced')).toBeCloseTo(0.5, 1);
    expect(await probability([1, 0])).toBeLessThan(0.05);
  });

  it('refuses bad input', async () => {
    const train = ends(20, 1);
    await expect(trainClassifier({ ...small, classes: ['one'], train })).rejects.toThrow(
      /classes: expected at least two/,
    );
    await expect(trainClassifier({ ...small, classes: ['a', 'a'], train })).rejects.toThrow(RangeError);
    await expect(trainClassifier({ ...small, train, classWeights: [1] })).rejects.toThrow(
      /classWeights: expected 2 numbers/,
    );
    await expect(trainClassifier({ ...small, train, classWeights: 'even' as never })).rejects.toThrow(/balanced/);
    await expect(trainClassifier({ ...small, train, hidden: 3 } as never)).rejects.toThrow(/unknown option "hidden"/);
    const model = new Classifier({ classes: 2, inputSize: 2 });
    await expect(predictClasses(model, train)).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    model.dispose();
  });
});

describe('classifiers of events', () => {
  // Customers who buy every few days; those with an odd number complain once, and then stop within 10 days.
  const rows = Array.from({ length: 200 }, (_, customer) => {
    const ends = customer % 2 === 1 ? 40 + ((customer * 7) % 100) : 200;
    const visits = Array.from({ length: 80 }, (_, visit) => (customer % 5) + visit * (2 + (customer % 3)));
    return visits
      .filter((time) => time <= ends)
      .map((time, i, all) => ({
        customer: `c${customer}`,
        time,
        kind: customer % 2 === 1 && i === all.length - 2 ? 'complaint' : 'purchase',
        amount: ((customer * 31 + i * 17) % 23) + 1,
        group: customer % 2 === 1 ? 'leaves' : 'stays',
        complains: Number(customer % 2 === 1 && i === all.length - 2),
      }));
  }).flat();
  const table: data.Table = {
    source: 'visits.csv',
    rows: rows.length,
    columns: new Map<string, Float64Array | string[]>([
      ['customer', rows.map(({ customer }) => customer)],
      ['time', Float64Array.from(rows, ({ time }) => time)],
      ['kind', rows.map(({ kind }) => kind)],
      ['amount', Float64Array.from(rows, ({ amount }) => amount)],
      ['group', rows.map(({ group }) => group)],
      ['complains', Float64Array.from(rows, ({ complains }) => complains)],
    ]),
  };
  const log = {
    table,
    entity: 'customer',
    time: 'time',
    features: ['kind', 'amount'],
    hiddenSize: 12,
    learningRate: 0.01,
  };

  it('foretells silence from a complaint, on a time that the training did not see', async () => {
    const { model, evaluation } = await tasks.trainEventClassifier({
      ...log,
      horizon: 10,
      every: 3,
      epochs: 15,
      test: 0.6,
    });
    expect(model.preprocessing).toMatchObject({
      classes: ['active', 'silent'],
      input: 'events',
      label: null,
      horizon: 10,
    });
    expect(evaluation?.rocAuc).toBeGreaterThan(0.9);
    const { entities, probabilities } = await tasks.classifyEntities(model, table);
    expect(entities).toHaveLength(200);
    expect(probabilities).toHaveLength(400);
    model.dispose();
  });

  it('tells the class of whole logs, also from a file', async () => {
    const { model, evaluation } = await tasks.trainEventClassifier({ ...log, label: 'group', epochs: 25 });
    expect(evaluation?.scores.accuracy).toBe(1);
    const path = inFolder('events.safetensors');
    await saveModel(path, model);
    const loaded = (await loadModel(path)) as tasks.Classifier;
    const expected = await tasks.classifyEntities(model, table);
    expect(await tasks.classifyEntities(loaded, table)).toEqual(expected);
    expect((await tasks.evaluateEventClassifier(loaded, table)).scores.accuracy).toBeGreaterThan(0.95);
    for (const one of [model, loaded]) one.dispose();
  });

  it('foretells marked events', async () => {
    const { model } = await tasks.trainEventClassifier({
      ...log,
      label: 'complains',
      horizon: 10,
      every: 5,
      epochs: 1,
    });
    expect(model.preprocessing).toMatchObject({ classes: ['no complains', 'complains'] });
    const { labels } = await tasks.evaluateEventClassifier(model, table, { after: 60 });
    expect(labels.some((label) => label === 1)).toBe(true);
    model.dispose();
  });

  it('refuses what cannot be', async () => {
    const train = (options: object) => tasks.trainEventClassifier({ ...log, ...options } as never);
    await expect(train({})).rejects.toThrow(/label: expected the column of the classes, or a horizon/);
    await expect(train({ label: 'kind' })).rejects.toThrow(
      /column "kind": "complaint", but "c1" has "purchase" elsewhere/,
    );
    await expect(train({ horizon: 1000 })).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(train({ horizon: -1 })).rejects.toThrow(/horizon/);
    await expect(train({ label: 'group', window: 0 })).rejects.toThrow(/window/);
    const model = new Classifier({ classes: 2, inputSize: 2 });
    model.preprocessing = { task: 'classify', classes: ['a', 'b'], temperature: 1 };
    await expect(tasks.classifyEntities(model, table)).rejects.toThrow(/how it reads events/);
    model.dispose();
  });
});
