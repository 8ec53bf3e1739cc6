import { expect, it } from 'vitest';
import { data, losses, SGD } from '../../lib/index.js';
import { findLearningRate } from '../../lib/training/find_learning_rate.js';
import { type Classifier, examples, problem } from './problem.js';

const lossOf =
  (model: Classifier): Parameters<typeof findLearningRate>[0]['loss'] =>
  ({ inputs, targets, lengths }) =>
    losses.crossEntropy(model.forward(inputs, lengths), targets);

it('suggests a rate that trains, stops where the loss grows, and leaves the model as it was', async () => {
  const { model, trainer } = problem();
  trainer.dispose();
  const before = await model.stateDict();
  const batches = new data.Batches(examples(120, 1), { batchSize: 16, shuffle: true });
  const search = { model, loss: lossOf(model), data: batches, lowest: 1e-4, highest: 1e4, steps: 80 };
  const {
    suggestion,
    learningRates,
    losses: found,
  } = await findLearningRate({
    ...search,
    optimizer: new SGD(model.parameters(), { learningRate: 1 }),
  });
  expect(await model.stateDict()).toEqual(before);
  expect(learningRates).toHaveLength(found.length);
  expect(learningRates[0]).toBeCloseTo(1e-4, 12);
  expect(learningRates).toEqual([...learningRates].sort((a, b) => a - b));
  expect(suggestion).toBeGreaterThan(1e-3);
  expect(suggestion).toBeLessThan(1e4);
  expect(found.every((loss) => loss <= 4 * Math.min(...found))).toBe(true);
});

it('what cannot be is refused', async () => {
  const { model, optimizer, batches } = problem();
  const search = { model, optimizer, loss: lossOf(model), data: batches };
  await expect(findLearningRate({ ...search, steps: 3 })).rejects.toThrow(/steps/);
  await expect(findLearningRate({ ...search, lowest: 2 })).rejects.toThrow(/highest/);
  await expect(findLearningRate({ ...search, model: {} as never })).rejects.toThrow(/model/);
  const broken = () => losses.mse(model.head.weight.mul(Number.MAX_VALUE), model.head.weight);
  await expect(findLearningRate({ ...search, loss: broken })).rejects.toMatchObject({ code: 'ERR_NON_FINITE' });
});
