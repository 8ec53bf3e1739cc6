import { expect, it } from 'vitest';
import { Generator, loadModel, ones, saveModel } from '../../lib/index.js';
import { VariationalDropout } from '../../lib/layers/variational_dropout.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const folder = temporaryFolder();

it('drops the same features at every step of a row, other ones in other rows', async () => {
  const layer = new VariationalDropout({ probability: 0.25, generator: new Generator(1) });
  const [batch, time, features] = [6, 7, 500];
  const x = ones([batch, time, features]);
  x.requiresGrad = true;
  const y = layer.forward(x);
  const data = await y.data();
  const rows = Array.from({ length: batch * time }, (_, i) => [...data.slice(i * features, (i + 1) * features)]);
  for (const [i, row] of rows.entries()) expect(row).toEqual(rows[Math.floor(i / time) * time]);
  expect(rows[0]).not.toEqual(rows[time]);
  expect(new Set(data)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  const dropped = data.filter((value) => value === 0).length / data.length;
  // Five standard deviations of a share among 3,000 draws.
  expect(Math.abs(dropped - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 3000));
  y.sum().backward();
  expect(await x.grad?.data()).toEqual(data);
});

it('does nothing outside training, and travels in a model file', async () => {
  const layer = new VariationalDropout(0.4).eval();
  const x = ones([2, 3, 4]);
  expect(layer.forward(x)).toBe(x);
  await saveModel(folder('dropout.safetensors'), layer);
  expect((await loadModel<VariationalDropout>(folder('dropout.safetensors'))).probability).toBe(0.4);
  expect(() => new VariationalDropout(1)).toThrow(RangeError);
  expect(() => new VariationalDropout().forward(ones([2, 3]))).toThrow(RangeError);
});
