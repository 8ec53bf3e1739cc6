import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Dropout,
  Embedding,
  exportKeras,
  GRU,
  importModel,
  type KerasModel,
  LayerNorm,
  Linear,
  loadModel,
  type Module,
  noGrad,
  Sequential,
  saveModel,
  saveSafetensors,
  type Tensor,
  tensor,
} from '../../dist/index.js';
import { expectClose, folder, inFolder, python, tensors } from './python.js';

const made = python('keras_peer.py', 'make', folder) as string[];

async function check(model: Module, name: string): Promise<void> {
  const record = await tensors(`${name}.safetensors`);
  const numbered = (kind: string) =>
    Object.keys(record)
      .filter((key) => key.startsWith(kind))
      .sort();
  const outputs = noGrad(() => (model as KerasModel).run(numbered('input').map((key) => record[key] as Tensor)));
  expect(outputs).toHaveLength(numbered('output').length);
  for (const [index, key] of numbered('output').entries()) await expectClose(outputs[index] as Tensor, record[key]);
}

describe.each(made)('%s', (name) => {
  it('.keras', async () => check(await importModel(inFolder(`${name}.keras`)), name));
  it('legacy .h5', async () => check(await importModel(inFolder(`${name}.h5`)), name));
  it('.weights.h5 with the JSON of to_json()', async () => {
    await check(await importModel(inFolder(`${name}.weights.h5`), { config: inFolder(`${name}.json`) }), name);
  });
  it('saved as ours and loaded again', async () => {
    await saveModel(inFolder(`${name}.saved`), await importModel(inFolder(`${name}.keras`)));
    await check(await loadModel(inFolder(`${name}.saved`)), name);
  });
});

it('gradients are those of Keras', async () => {
  const names = python('keras_peer.py', 'gradients', folder) as string[];
  expect(names).toHaveLength(7);
  const expected = await tensors('gradients.safetensors');
  const { input0 } = await tensors('masked_after.safetensors');
  const model = (await importModel(inFolder('masked_after.keras'))) as KerasModel;
  const output = model.train().forward(input0 as Tensor);
  output.mul(output).sum().backward();
  const grads = new Map(model.namedParameters());
  const table = [...grads].find(([key]) => key.endsWith('embedding.weight'))?.[1];
  await expectClose(table?.grad as Tensor, expected[names[0] as string], 1e-4);
  // Column sums do not depend on the order of rows, and biases have no other: gates z, r, h against r, z, n.
  const gru = [...grads.keys()].filter((key) => key.endsWith('bias_ih_l0'));
  const kerasBiases = names.filter((key) => key.endsWith('bias'));
  for (const [index, key] of gru.entries()) {
    const ours = await ((grads.get(key) as Tensor).grad as Tensor).data();
    const theirs = await (expected[kerasBiases[index] as string] as Tensor).data();
    const hidden = ours.length / 3;
    for (let i = 0; i < ours.length; i++) {
      const at = i < hidden ? i + hidden : i < 2 * hidden ? i - hidden : i;
      expect(Math.abs((ours[i] as number) - (theirs[at] as number))).toBeLessThan(1e-4);
    }
  }
});

describe('exportKeras', () => {
  const variants = { after: 'resetAfter', before: 'resetBefore' } as const;
  const models: Record<string, Sequential> = {};

  beforeAll(async () => {
    const ids = tensor(
      Int32Array.from({ length: 20 }, (_, i) => (i * 7) % 10),
      [4, 5],
    );
    for (const [suffix, variant] of Object.entries(variants)) {
      const model = new Sequential(
        new Embedding({ vocabularySize: 10, embeddingSize: 6 }),
        new GRU({ inputSize: 6, hiddenSize: 4, numLayers: 2, bidirectional: true, variant }),
        new LayerNorm({ size: 8 }),
        new Dropout(0.5),
        new GRU({ inputSize: 8, hiddenSize: 3, bias: false, variant }),
        new Linear({ inputSize: 3, outputSize: 2 }),
        new Linear({ inputSize: 2, outputSize: 2 }),
      ).eval();
      models[suffix] = model;
      await exportKeras(inFolder(`exported_${suffix}.weights.h5`), model);
      await saveSafetensors(inFolder(`exported_${suffix}.inputs.safetensors`), { ids });
    }
    for (const name of made) {
      if (name === 'distributed' || name === 'norm') continue; // come back as Dense, and with every gain and shift
      await exportKeras(inFolder(`${name}.back.weights.h5`), await importModel(inFolder(`${name}.keras`)));
    }
    expect(python('keras_peer.py', 'check', folder)).toHaveLength(made.length);
  });
  afterAll(() => Object.values(models).forEach((model) => void model.dispose()));

  it.each(Object.keys(variants))('load_weights takes it, and the outputs are the same: reset %s', async (suffix) => {
    const { ids } = await tensors(`exported_${suffix}.inputs.safetensors`);
    const { output0 } = await tensors(`exported_${suffix}.outputs.safetensors`);
    await expectClose(
      noGrad(() => (models[suffix] as Sequential).forward(ids as Tensor)),
      output0,
    );
  });
});
