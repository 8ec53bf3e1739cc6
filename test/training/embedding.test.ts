import { expect, it } from 'vitest';
import { Embedding, Generator, loadModel, saveModel, tensor } from '../../lib/index.js';
import { temporaryFolder } from '../formats/temporary_folder.js';

const folder = temporaryFolder();

it('drops whole vectors, the same ones wherever they stand, and the gradient of what was dropped is 0', async () => {
  const vocabularySize = 2000;
  const layer = new Embedding({ vocabularySize, embeddingSize: 3, dropout: 0.3, generator: new Generator(1) });
  layer.weight.write(new Float32Array(3 * vocabularySize).fill(1));
  const once = Int32Array.from({ length: vocabularySize }, (_, i) => i);
  const y = layer.forward(tensor(Int32Array.of(...once, ...once), [2, vocabularySize]));
  const data = (await y.data()) as Float32Array;
  expect(data.slice(0, 3 * vocabularySize)).toEqual(data.slice(3 * vocabularySize));
  expect(new Set(data)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
  const kept = Array.from(once, (i) => data.slice(3 * i, 3 * i + 3));
  expect(kept.every(([a, b, c]) => a === b && b === c)).toBe(true);
  const dropped = kept.filter(([a]) => a === 0).length / vocabularySize;
  // Five standard deviations of a share among 2,000 draws.
  expect(Math.abs(dropped - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / vocabularySize));
  y.sum().backward();
  const grad = (await layer.weight.grad?.data()) as Float32Array;
  expect(grad).toEqual(data.slice(0, 3 * vocabularySize).map((value) => 2 * value));
});

it('does nothing outside training, and travels in a model file', async () => {
  const layer = new Embedding({ vocabularySize: 9, embeddingSize: 2, dropout: 0.4 }).eval();
  const ids = tensor(Int32Array.of(1, 8, 1));
  const weight = await layer.weight.data();
  expect(await layer.forward(ids).data()).toEqual(
    Float32Array.of(...[1, 8, 1].flatMap((id) => [...weight.slice(2 * id, 2 * id + 2)])),
  );
  await saveModel(folder('embedding.safetensors'), layer);
  expect((await loadModel<Embedding>(folder('embedding.safetensors'))).dropout).toBe(0.4);
  expect(() => new Embedding({ vocabularySize: 9, embeddingSize: 2, dropout: 1 })).toThrow(RangeError);
});

it('begins with the standard deviation that is asked for, the padding row at 0', async () => {
  const options = { vocabularySize: 500, embeddingSize: 20, paddingIndex: 3 };
  const layer = new Embedding({ ...options, standardDeviation: 0.1, generator: new Generator(2) });
  const weight = await layer.weight.data();
  const plain = await new Embedding({ ...options, generator: new Generator(2) }).weight.data();
  expect(weight.slice(60, 80).every((value) => value === 0)).toBe(true);
  for (const [i, value] of weight.entries()) expect(value).toBeCloseTo(0.1 * (plain[i] as number), 6);
  expect(() => new Embedding({ ...options, standardDeviation: -1 })).toThrow(RangeError);
});
