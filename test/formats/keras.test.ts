import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
// The built library: reading HDF5 starts a thread, which takes JavaScript.
import {
  Adam,
  Dropout,
  Embedding,
  exportKeras,
  exportOnnx,
  GRU,
  GRUCell,
  importModel,
  importOnnx,
  KerasModel,
  Linear,
  loadModel,
  loadSafetensors,
  losses,
  type Module,
  noGrad,
  parameter,
  Sequential,
  saveModel,
  type Tensor,
  tensor,
  zeros,
} from '../../dist/index.js';
import { MemorySource } from '../../lib/formats/byte_source.js';
import { parseConfig } from '../../lib/formats/keras/config.js';
import { ZipArchive } from '../../lib/formats/zip/zip_archive.js';
import { temporaryFolder } from './temporary_folder.js';

const path = temporaryFolder();
const peersFolder = fileURLToPath(new URL('../fixtures/peers/', import.meta.url));
const peer = (name: string) => peersFolder + name;
const files = readdirSync(peersFolder).filter((name) => /^keras.*\.(keras|h5)$/.test(name));

const archive = await ZipArchive.open(new MemorySource(readFileSync(peer('keras_bi_gru_dense_reset_after.keras'))));
const config = JSON.parse(await archive.text('config.json', 1 << 20));

async function importPeer(name: string): Promise<KerasModel> {
  const config = name.endsWith('.weights.h5') ? { config: peer(name.replace('.weights.h5', '.keras')) } : {};
  return (await importModel(peer(name), config)) as KerasModel;
}

async function check(model: Module, name: string): Promise<void> {
  const expected = await loadSafetensors(peer(`${name}.expected.safetensors`));
  const outputs = noGrad(() => (model as KerasModel).run(expected.input0 as Tensor));
  expect(outputs).toHaveLength(Object.keys(expected).length - 1);
  for (const [index, output] of outputs.entries()) {
    const theirs = expected[`output${index}`] as Tensor;
    expect(output.shape).toEqual(theirs.shape);
    const numbers = await theirs.data();
    for (const [at, value] of (await output.data()).entries()) {
      expect(Math.abs(value - (numbers[at] as number))).toBeLessThan(1e-6);
    }
  }
}

describe('models that Keras 2 and 3 wrote', () => {
  it.each(files)('%s gives Keras’s outputs, also when saved as ours', async (name) => {
    const model = await importPeer(name);
    expect(model).toBeInstanceOf(KerasModel);
    expect(model.training).toBe(false);
    await check(model, name);
    await saveModel(path('saved.safetensors'), model);
    const loaded = await loadModel(path('saved.safetensors'));
    expect(loaded.summary).toEqual(model.summary);
    await check(loaded, name);
  });

  it('says what it leaves out', async () => {
    expect((await importPeer('keras_stacked_dropout_reset_after.keras')).summary).toEqual({
      importedFrom: 'Keras 3.15.1',
      notes: ['gru_1: recurrent_dropout=0.2 is left out in training'],
    });
  });

  it('trains: every parameter has a gradient, and the loss falls', async () => {
    for (const name of ['keras_embedding_softmax_reset_before.keras', 'keras_stacked_dropout_reset_after.keras']) {
      const model = (await importPeer(name)).train();
      const { input0 } = await loadSafetensors(peer(`${name}.expected.safetensors`));
      const optimizer = new Adam(model.parameters(), { learningRate: 1e-2 });
      const values: number[] = [];
      for (let step = 0; step < 40; step++) {
        const output = model.forward(input0 as Tensor);
        const loss = losses.mse(output, zeros(output.shape));
        loss.backward();
        if (step === 0) {
          for (const [parameterName, { grad }] of model.namedParameters()) {
            const numbers = await (grad as Tensor).data();
            expect(
              numbers.some((value) => value !== 0),
              parameterName,
            ).toBe(true);
          }
        }
        await optimizer.step();
        optimizer.zeroGrad();
        values.push(await loss.item());
      }
      const mean = (from: number) => values.slice(from, from + 5).reduce((sum, value) => sum + value, 0);
      expect(mean(35)).toBeLessThan(mean(0));
    }
  });

  it('quantized, it stays near', async () => {
    const name = 'keras_bi_gru_dense_reset_after.keras';
    const model = (await importPeer(name)).quantize('int8') as KerasModel;
    const { input0, output0 } = await loadSafetensors(peer(`${name}.expected.safetensors`));
    const [ours, theirs] = [
      await noGrad(() => model.forward(input0 as Tensor)).data(),
      await (output0 as Tensor).data(),
    ];
    for (const [at, value] of ours.entries()) expect(Math.abs(value - (theirs[at] as number))).toBeLessThan(0.05);
  });
});

it('reads in a process that was given its program by an option', async () => {
  const program = `
    import { importModel } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    const model = await importModel(${JSON.stringify(peer('keras_bi_gru_dense_reset_after.keras'))});
    console.log(model.parameters().length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(Number(stdout)).toBeGreaterThan(4);
});

describe('masks', () => {
  it('given by the caller, they are the ones of the ids', async () => {
    const name = 'keras_embedding_softmax_reset_after.keras';
    const model = await importPeer(name);
    const { input0 } = await loadSafetensors(peer(`${name}.expected.safetensors`));
    const ids = await (input0 as Tensor).data();
    const own = await noGrad(() => model.forward(input0 as Tensor)).data();
    expect(await noGrad(() => model.forward(input0 as Tensor, { masks: [ids] })).data()).toEqual(own);
    const all = noGrad(() => model.forward(input0 as Tensor, { masks: [ids.map(() => 1)] }));
    expect(await all.data()).not.toEqual(own);
    expect(() => model.forward(input0 as Tensor, { masks: [[1]] })).toThrow(/masks\[0\]/);
  });

  it('a row without a valid step has output 0', async () => {
    const model = new KerasModel({
      inputs: ['x'],
      layers: [
        {
          name: 'gru',
          architecture: {
            type: 'KerasGRU',
            options: {
              inputSize: 2,
              hiddenSize: 3,
              bias: true,
              variant: 'resetAfter',
              mergeMode: 'concat',
              returnSequences: false,
              returnState: false,
              goBackwards: false,
              zeroMasked: false,
              inputDropout: 0,
            },
          },
          calls: [{ input: ['x', 0, 0], initialStates: [] }],
        },
      ],
      outputs: [['gru', 0, 0]],
    });
    const x = tensor(
      Float32Array.from({ length: 8 }, (_, i) => i),
      [2, 2, 2],
    );
    const output = await noGrad(() => model.forward(x, { masks: [[1, 1, 0, 0]] })).data();
    expect(output.slice(6)).toEqual(new Float32Array(6));
    expect(output.slice(0, 6).every((value) => value !== 0)).toBe(true);
  });
});

describe('KerasModel', () => {
  it('checks what it is given', async () => {
    const model = await importPeer('keras_functional_state_reset_after.keras');
    expect(() => model.forward(zeros([1, 2, 5]))).toThrow(/a model with one output; run\(\) gives all/);
    expect(() => model.run([])).toThrow(/1 tensors \(signal\)/);
    expect(() => model.run(3 as unknown as Tensor)).toThrow(TypeError);
  });

  const dense = (name: string, input: string) => ({
    name,
    architecture: { type: 'KerasDense', options: { inputSize: 1, outputSize: 1, bias: true, activation: 'linear' } },
    calls: [{ input: [input, 0, 0] as const, initialStates: [] }],
  });

  it.each([
    ['a circle', [dense('a', 'b'), dense('b', 'a')], /without a circle/],
    ['an input that is not there', [dense('a', 'none')], /without a circle/],
    ['two layers of one name', [dense('a', 'x'), dense('a', 'x')], /names that differ/],
    [
      'a layer that is none',
      [{ ...dense('a', 'x'), architecture: { type: 'Dropout', options: {} } }],
      /a layer of Keras/,
    ],
  ])('refuses %s', (_, layers, reason) => {
    expect(() => new KerasModel({ inputs: ['x'], layers, outputs: [['a', 0, 0]] })).toThrow(reason);
  });
});

describe('what is refused, by name', () => {
  const keras = peer('keras_bi_gru_dense_reset_after.keras');
  type LayerJson = { class_name: string; config: Record<string, unknown> };

  /** Imports the fixture with one layer's config changed. */
  async function refused(
    className: string,
    change: Record<string, unknown>,
    reason: RegExp,
    { code = 'ERR_UNSUPPORTED', weights = keras, newClass = className } = {},
  ): Promise<void> {
    const copy = structuredClone(config);
    const layer = copy.config.layers.find((one: LayerJson) => one.class_name === className) as LayerJson;
    Object.assign(layer.config, change);
    layer.class_name = newClass;
    writeFileSync(path('config.json'), JSON.stringify(copy));
    const imported = importModel(weights, { config: path('config.json') });
    await expect(imported).rejects.toMatchObject({ code, message: expect.stringMatching(reason) });
  }

  it('layers, activations and options that are not supported', async () => {
    await refused('Dense', {}, /"dense" is a "Dense1D"/, { newClass: 'Dense1D' });
    await refused('Dense', { activation: 'gelu' }, /"dense".*"gelu"/);
    await refused('GRU', { activation: 'relu' }, /"gru_1".*"relu"/);
    await refused('GRU', { stateful: true }, /"gru_1" has stateful=True/);
    await refused('Bidirectional', { merge_mode: 'max' }, /merge_mode "max"/);
    await refused('Bidirectional', { layer: { class_name: 'LSTM' } }, /of "LSTM"/);
  });

  it('arrays that do not fit the config', async () => {
    const before = peer('keras_bi_gru_dense_reset_before.weights.h5');
    const six = /"bidirectional" should have 6 arrays of ranks \[2, 2, 2, 2, 2, 2\]/;
    await refused('GRU', {}, six, { code: 'ERR_FORMAT', weights: before });
    await refused('GRU', { name: 'other' }, /"gru_1", not "other"/, { code: 'ERR_FORMAT' });
  });

  it('other kinds of models, broken configs', () => {
    const expectRefused = (text: unknown, reason: RegExp) =>
      expect(() => parseConfig(typeof text === 'string' ? text : JSON.stringify(text))).toThrow(reason);
    expectRefused('{', /not JSON/);
    expectRefused('3', /no object/);
    expectRefused({ class_name: 'MyModel', config: { layers: [] } }, /a "MyModel"; Sequential and functional/);
    expectRefused({ class_name: 'Sequential', config: {} }, /its layers are no list/);
    expectRefused({ class_name: 'Sequential', config: { layers: [{}] } }, /the config of a layer is no object/);
    expectRefused({ class_name: 'Sequential', config: { layers: Array(10_001).fill(0) } }, /more than 10000 layers/);
    const call = (node: unknown) => ({
      class_name: 'Functional',
      config: {
        layers: [{ class_name: 'GRU', name: 'g', config: { name: 'g' }, inbound_nodes: [node] }],
        input_layers: ['x', 0, 0],
        output_layers: ['g', 0, 0],
      },
    });
    expectRefused(call([['x', 0]]), /refer to no layer/);
    expectRefused(call([['x', 0, -1]]), /refer to no layer/);
    expectRefused(call([]), /have no input/);
    expectRefused(call([['x', 0, 0, { mask: ['y', 0, 0] }]]), /"g" is called with mask=/);
    expectRefused(call({ args: [{ class_name: 'Tensor' }] }), /hold a "Tensor"/);
    let deep: unknown = [];
    for (let i = 0; i < 100; i++) deep = [deep];
    expectRefused(call({ args: deep }), /nest too deeply/);
  });

  it('weights without an architecture', async () => {
    await expect(importModel(peer('keras_bi_gru_dense_reset_before.weights.h5'))).rejects.toThrow(
      /weights and no architecture.*`config`/,
    );
  });
});

describe('exportOnnx of a model from Keras', () => {
  it.each(['keras_functional_state_reset_after.keras', 'keras_stacked_dropout_reset_after.keras'])(
    '%s',
    async (name) => {
      const model = await importPeer(name);
      await exportOnnx(path('keras.onnx'), model);
      const back = await importOnnx(path('keras.onnx'));
      const { input0 } = await loadSafetensors(peer(`${name}.expected.safetensors`));
      const expected = noGrad(() => model.run(input0 as Tensor));
      const outputs = Object.values(noGrad(() => back.run({ input: input0 as Tensor })));
      expect(back.outputNames).toEqual(
        expected.length === 1 ? ['output'] : expected.map((_, index) => `output_${index}`),
      );
      for (const [index, output] of outputs.entries()) {
        const [ours, theirs] = [await output.data(), await (expected[index] as Tensor).data()];
        for (const [at, value] of ours.entries()) expect(Math.abs(value - (theirs[at] as number))).toBeLessThan(1e-6);
      }
    },
  );
});

describe('exportKeras', () => {
  it('what came from Keras goes back as it was', async () => {
    for (const name of ['keras_functional_state_reset_after.keras', 'keras_bi_gru_dense_reset_before.keras']) {
      await exportKeras(path('back.weights.h5'), await importPeer(name));
      await check(await importModel(path('back.weights.h5'), { config: peer(name) }), name);
    }
  });

  it('refuses what Keras does not have, and leaves no file', async () => {
    const expectRefused = (model: Module, reason: RegExp, name = 'none.weights.h5') =>
      expect(exportKeras(path(name), model)).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: expect.stringMatching(reason),
      });
    await expectRefused(new GRUCell({ inputSize: 1, hiddenSize: 1 }), /GRUCell has no counterpart/);
    await expectRefused(new GRU({ inputSize: 1, hiddenSize: 1 }).quantize('int8'), /quantized to int8/);
    await expectRefused(new Sequential(new Dropout(0.5)), /no parameters/);
    await expectRefused(new Linear({ inputSize: 1, outputSize: 1 }), /end in .weights.h5/, 'none.h5');
    class Own extends Sequential {
      gain = parameter(zeros([1]));
    }
    await expectRefused(
      new Own(new Embedding({ vocabularySize: 2, embeddingSize: 1 })),
      /Own has no counterpart.*gain/,
    );
    expect(readdirSync(path('.')).filter((name) => name.includes('none'))).toEqual([]);
  });
});
