import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { valueInfo } from '../../../lib/formats/onnx/encode.js';
import {
  Adam,
  GRU,
  importModel,
  importOnnx,
  loadModel,
  losses,
  noGrad,
  OnnxModel,
  ops,
  randn,
  saveModel,
  setSeed,
  type Tensor,
  tensor,
} from '../../../lib/index.js';
import { expectClose, peerFile } from '../peer_file.js';
import { temporaryFolder } from '../temporary_folder.js';
import { float32, graphBytes, integers, node } from './build.js';
import { expectOutputs, expectPeersOutputs } from './cases.js';

const path = temporaryFolder();

const peers = [
  'torch_gru_legacy',
  'torch_gru_dynamo',
  'torch_embedding_head_legacy',
  'torch_embedding_head_dynamo',
  'torch_bi_2l_head_legacy',
  'torch_bi_2l_head_dynamo',
  'torch_bi_2l_head_dynamo_external',
  'torch_packed_bi_legacy',
  'keras2_bi_gru_dense_reset_after',
  'keras2_embedding_softmax_reset_after',
  'tf1_grucell_reset_before',
];

describe('models of other frameworks give what they gave there', () => {
  it.each(peers)('%s', async (name) => {
    const model = await expectPeersOutputs(`onnx_${name}.onnx`);
    expect(model.layers.length).toBeGreaterThan(0);
    expect(model.training).toBe(false);
  });

  it.each(['defaults', 'with_initial_bias', 'seq_length', 'batchwise', 'reverse', 'bidirectional'])(
    "the standard's own test of GRU: %s",
    async (name) => {
      const model = await expectPeersOutputs(`onnx_node_gru_${name}.onnx`);
      expect(model.layers.length).toBe(0);
    },
  );

  it('rows that are sorted by their lengths and put back, as pack_padded_sequence does it', async () => {
    const bytes = graphBytes({
      node: [
        node('Shape', ['lengths'], ['count']),
        node('TopK', ['lengths', 'count'], ['sorted', 'order'], { axis: -1 }),
        node('Gather', ['x', 'order'], ['rows'], { axis: 0 }),
        node('ReduceProd', ['count'], ['rowCount'], { keepdims: 0 }),
        node('Range', ['zero', 'rowCount', 'one'], ['places']),
        node('Expand', ['zero', 'count'], ['zeros']),
        node('ScatterElements', ['zeros', 'order', 'places'], ['inverse'], { axis: 0 }),
        node('Gather', ['rows', 'inverse'], ['y'], { axis: 0 }),
      ],
      initializer: [integers('zero', [], [0]), integers('one', [], [1])],
      input: [float32('x', 'batch', 2), valueInfo('lengths', 'int32', ['batch'])],
      output: [float32('y', 'batch', 2), float32('rows', 'batch', 2)],
    });
    writeFileSync(path('sorting.onnx'), bytes);
    const model = await importOnnx(path('sorting.onnx'));
    const x = tensor([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    const { y, rows } = model.run({ x, lengths: [2, 7, 2, 5] });
    expect([...(await (rows as Tensor).data())]).toEqual([1, 1, 3, 3, 0, 0, 2, 2]);
    await expectClose(y as Tensor, x);
  });

  it('one row, many steps: what the graph leaves open varies', async () => {
    const model = await importOnnx(peerFile('onnx_torch_bi_2l_head_dynamo.onnx'));
    const x = randn([5, 9, 6]);
    const whole = noGrad(() => model.forward(x));
    expect(whole.shape).toEqual([5, 4]);
    const row = noGrad(() => model.forward(x.slice(0, 3, 4)));
    await expectClose(row, whole.slice(0, 3, 4), 1e-6);
  });
});

describe('an imported model is a module like others', () => {
  it('has the weights of the file as parameters', async () => {
    const model = await importModel(peerFile('onnx_torch_embedding_head_legacy.onnx'));
    const names = Array.from(model.namedParameters(), ([name]) => name);
    expect(names).toContain('layers.0.weight_ih_l0');
    expect(names).toContain('layers.1.bias_hh_l0');
    expect(names.filter((name) => name.startsWith('weights.')).sort()).toEqual([
      'weights.embedding.weight',
      'weights.head.bias',
      'weights.head.weight',
    ]);
  });

  it('trains: every parameter gets a gradient, and the loss falls', async () => {
    setSeed(1);
    const model = await importOnnx(peerFile('onnx_torch_embedding_head_dynamo.onnx'));
    const optimizer = new Adam(model.parameters(), { learningRate: 0.02 });
    const ids = tensor(
      Int32Array.from({ length: 24 }, (_, i) => (i * 7) % 20),
      [4, 6],
    );
    const labels = tensor(Int32Array.of(0, 1, 2, 3));
    const history: number[] = [];
    model.train();
    for (let step = 0; step < 30; step++) {
      const loss = losses.crossEntropy(model.forward(ids), labels);
      loss.backward();
      if (step === 0) {
        for (const [name, parameter] of model.namedParameters()) expect(parameter.grad, name).not.toBeNull();
      }
      await optimizer.step();
      optimizer.zeroGrad();
      history.push(await loss.item());
    }
    expect(history.at(-1)).toBeLessThan((history[0] as number) / 4);
  });

  it('has the gradients of the layers it was exported from', async () => {
    const model = await importOnnx(peerFile('onnx_torch_bi_2l_head_legacy.onnx'));
    const gru = new GRU({ inputSize: 6, hiddenSize: 8, numLayers: 2, bidirectional: true });
    const state = await model.stateDict();
    await gru.loadStateDict(
      Object.fromEntries(
        Object.entries(state).flatMap(([name, value]) => {
          const found = /^layers\.(\d)\.(\w+)_l0(\w*)$/.exec(name);
          return found ? [[`${found[2]}_l${found[1]}${found[3]}`, value]] : [];
        }),
      ),
    );
    const [weight, bias] = ['head.weight', 'head.bias'].map((name) => model.weights[name] as Tensor);
    const x = randn([3, 5, 6]);
    model.forward(x).sum().backward();
    const expected = ops.linear(ops.lastStep(gru.forward(x).output), weight as Tensor, bias);
    expected.sum().backward();
    for (const [index, layer] of model.layers.entries()) {
      for (const [name, parameter] of layer.namedParameters()) {
        const same = gru[name.replace('l0', `l${index}`) as 'weight_ih_l0'] as Tensor;
        await expectClose(parameter.grad as Tensor, same.grad as Tensor);
      }
    }
  });

  it('is saved and loaded, and quantized', async () => {
    for (const name of ['torch_embedding_head_dynamo', 'torch_packed_bi_legacy', 'keras2_bi_gru_dense_reset_after']) {
      const file = `onnx_${name}.onnx`;
      await saveModel(path('model.safetensors'), await importOnnx(peerFile(file)));
      const loaded = await loadModel<OnnxModel>(path('model.safetensors'));
      expect(loaded).toBeInstanceOf(OnnxModel);
      await expectOutputs(loaded, file);
      await saveModel(path('quantized.safetensors'), loaded.quantize('bfloat16'));
      await expectOutputs(await loadModel<OnnxModel>(path('quantized.safetensors')), file, 0.02);
    }
  });
});
