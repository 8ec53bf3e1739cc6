import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../lib/formats/byte_source.js';
import { readPytorchStateDict } from '../../lib/formats/pytorch/pytorch_file.js';
import {
  Adam,
  Embedding,
  exportPytorch,
  GRU,
  importModel,
  Linear,
  loadSafetensors,
  losses,
  Module,
  noGrad,
  readStateDict,
  Sequential,
  type Tensor,
  tensor,
} from '../../lib/index.js';
import { cpuMilliseconds, fuzz } from './fuzz.js';
import { expectClose, expectedTensors, peerFile } from './peer_file.js';
import { temporaryFolder } from './temporary_folder.js';

const path = temporaryFolder();
const file = (name: string) => fileURLToPath(new URL(`../fixtures/pytorch/${name}`, import.meta.url));

class Classifier extends Module {
  embedding = new Embedding({ vocabularySize: 20, embeddingSize: 7 });
  gru = new GRU({ inputSize: 7, hiddenSize: 8, numLayers: 2 });
  head = new Linear({ inputSize: 8, outputSize: 4 });
  forward(ids: Tensor): Tensor {
    const { hidden } = this.gru.forward(this.embedding.forward(ids));
    return this.head.forward(hidden.slice(0, 1).reshape(-1, 8));
  }
}

describe('state_dicts that torch.save wrote', () => {
  it.each(['torch_classifier.pt', 'torch_classifier_legacy.pt'])(
    '%s gives PyTorch’s outputs, and trains',
    async (name) => {
      const model = new Classifier();
      await model.loadStateDict(await readStateDict(peerFile(name)));
      const { input0, output0 } = await expectedTensors(name);
      await expectClose(
        noGrad(() => model.forward(input0 as Tensor)),
        output0,
        2e-6,
      );
      const optimizer = new Adam(model.parameters(), { learningRate: 1e-2 });
      const values: number[] = [];
      for (let step = 0; step < 5; step++) {
        const loss = losses.crossEntropy(model.forward(input0 as Tensor), tensor(Int32Array.of(0, 1, 2)));
        values.push(await loss.item());
        loss.backward();
        await optimizer.step();
        optimizer.zeroGrad();
      }
      expect(values[4]).toBeLessThan(values[0] as number);
    },
  );

  it.each(['views.pt', 'views_legacy.pt'])(
    '%s: tensors that share a storage, with offsets and strides',
    async (name) => {
      const state = await readStateDict(file(name));
      const count = [...Array(12).keys()];
      expect(Object.keys(state)).toEqual(['flat', 'middle', 'transposed', 'column', 'tied', 'scalar', 'empty']);
      expect(state.flat).toEqual({ shape: [12], data: Float32Array.from(count) });
      expect(state.middle).toEqual({ shape: [2, 3], data: Float32Array.from(count.slice(3, 9)) });
      const transposed = count.map((i) => 4 * (i % 3) + Math.floor(i / 3));
      expect(state.transposed).toEqual({ shape: [4, 3], data: Float32Array.from(transposed) });
      expect(state.column).toEqual({ shape: [3], data: Float32Array.of(1, 5, 9) });
      expect(state.tied?.data).toBe(state.flat?.data);
      expect(state.scalar).toEqual({ shape: [], data: Float32Array.of(2.5) });
      expect(state.empty).toEqual({ shape: [0, 3], data: new Float32Array(0) });
    },
  );

  it('every element type becomes float32 or int32', async () => {
    const state = await readStateDict(file('types.pt'));
    const data = Object.fromEntries(Object.entries(state).map(([name, value]) => [name, value.data]));
    expect(data).toEqual({
      float16: Float32Array.of(1.5, -2, 65504),
      bfloat16: Float32Array.of(1.5, -2, 2 ** 100),
      float64: Float32Array.of(0.1, -1e30),
      int64: Int32Array.of(1, -(2 ** 31)),
      int16: Int32Array.of(-300, 300),
      int8: Int32Array.of(-128, 127),
      uint8: Int32Array.of(0, 255),
      bool: Int32Array.of(1, 0),
    });
  });

  it('a checkpoint: the entry is named by key', async () => {
    await expect(readStateDict(file('checkpoint.pt'))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringMatching(/checkpoint.pt: not a state_dict.*"epoch", "model", "optimizer".*`key`/),
    });
    const state = await readStateDict(file('checkpoint.pt'), { key: 'model' });
    expect(Object.keys(state)).toEqual([
      'gru.weight_ih_l0',
      'gru.weight_hh_l0',
      'gru.bias_ih_l0',
      'gru.bias_hh_l0',
      'norm.weight',
      'norm.bias',
    ]);
    await expect(readStateDict(file('checkpoint.pt'), { key: 'epoch' })).rejects.toThrow(/"epoch" is not a state_dict/);
    await expect(readStateDict(file('checkpoint.pt'), { key: 'none' })).rejects.toThrow(/no entry "none"/);
  });

  it('missing and unexpected keys are named', async () => {
    class Other extends Classifier {
      extra = new Linear({ inputSize: 1, outputSize: 1, bias: false });
    }
    const state = await readStateDict(peerFile('torch_classifier.pt'));
    await expect(new Other().loadStateDict(state)).rejects.toThrow(/extra.weight is missing/);
    await expect(new Linear({ inputSize: 8, outputSize: 4 }).loadStateDict(state)).rejects.toThrow(
      /embedding.weight is unknown/,
    );
  });

  it.each([
    ['a pickle that calls os.system', peerFile('torch_malicious.pt'), /asks for "posix.system".*nothing of it was run/],
    ['a whole model', file('whole_model.pt'), /asks for "torch.nn.modules.*state_dict/],
    ['an integer beyond int32', file('large_integer.pt'), /"large": 2147483648 \(I64\) does not fit into int32/],
    ['complex numbers', file('complex.pt'), /asks for "torch.Complex/],
    ['one number repeated', file('repeated.pt'), /repeats the 1 elements/],
  ])('%s is refused', async (_, name, reason) => {
    await expect(readStateDict(name)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringMatching(reason),
    });
  });

  it('is told apart from a model file', async () => {
    await expect(importModel(peerFile('torch_classifier.pt'))).rejects.toThrow(/no architecture.*readStateDict/);
    await expect(readStateDict('model.weights')).rejects.toThrow(/told by the extension, one of .safetensors, .pt/);
    await expect(readStateDict('none.pt')).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

describe('exportPytorch', () => {
  it('writes PyTorch’s names; a state_dict that was read comes out as it was', async () => {
    const model = new Classifier();
    const state = await readStateDict(peerFile('torch_classifier.pt'));
    await model.loadStateDict(state);
    await exportPytorch(path('out.safetensors'), model);
    expect(Object.keys(await loadSafetensors(path('out.safetensors'))).sort()).toEqual(Object.keys(state).sort());
    const written = await readStateDict(path('out.safetensors'));
    for (const [name, value] of Object.entries(state)) expect(written[name]).toEqual(value);
  });

  it('refuses what PyTorch does not have', async () => {
    const gru = new GRU({ inputSize: 2, hiddenSize: 3, variant: 'resetBefore' });
    await expect(exportPytorch(path('none'), new Sequential(gru))).rejects.toThrow(/resetBefore/);
    await expect(exportPytorch(path('none'), new Classifier().gru.quantize('int8'))).rejects.toThrow(
      /quantized to int8/,
    );
  });
});

const corpus = ['views.pt', 'views_legacy.pt', 'types.pt'].map((name) => readFileSync(file(name)));
fuzz('.pt', corpus, async (bytes) => {
  const state = await readPytorchStateDict(new MemorySource(bytes));
  return Object.values(state).reduce((sum, { data }) => sum + data.byteLength, 0);
});

describe('hostile .pt files', () => {
  /** A legacy file: the prologue of a valid one and another pickle in the place of the object. */
  const withPickle = async (pickle: Buffer): Promise<Buffer> => {
    const valid = await readFile(file('views_legacy.pt'));
    // Magic number, protocol and system information end with the third STOP.
    const prologue = valid.indexOf('}q\u0000(X\u0010\u0000\u0000\u0000protocol_version');
    const end = valid.indexOf(0x2e, valid.indexOf('type_sizes')) + 1;
    expect(prologue).toBeGreaterThan(0);
    return Buffer.concat([valid.subarray(0, end), pickle]);
  };
  const refused = async (pickle: Buffer, reason: RegExp) => {
    const begin = cpuMilliseconds();
    await expect(readPytorchStateDict(new MemorySource(await withPickle(pickle)))).rejects.toThrow(reason);
    expect(cpuMilliseconds() - begin).toBeLessThan(1000);
  };
  const ascii = (text: string) => Buffer.from(text, 'latin1');

  it.each([
    ['import os', 'cos\nsystem\n', /"os.system"/],
    ['from builtins import eval', 'cbuiltins\neval\n', /"builtins.eval"/],
    ['the older name', 'c__builtin__\neval\n', /"__builtin__.eval"/],
    ['a protocol-4 import', '\u008c\u0002os\u008c\u0006system\u0093', /"os.system"/],
    ['an attribute of an allowed module', 'ctorch\nload\n', /"torch.load"/],
    ['a dotted name', 'ctorch._utils\n_rebuild_tensor_v2.__globals__\n', /__globals__/],
    ['an instance of a class', 'i__main__\nA\n', /INST/],
    ['a new object', 'ctorch\nFloatStorage\n)\u0081', /NEWOBJ/],
    ['an extension', '\u0082\u0001', /EXT1/],
    ['calling a storage type', 'ctorch\nFloatStorage\n)R', /it calls torch.FloatStorage/],
    ['calling a text', 'X\u0001\u0000\u0000\u0000a)R', /calls what is no function/],
    ['a tensor of nothing', 'ctorch._utils\n_rebuild_tensor_v2\n)R', /a tensor has no storage/],
    ['a foreign persistent identifier', 'NQ', /persistent identifiers/],
    ['attributes of a list', ']}b', /attributes of what is no dictionary/],
    ['a key twice', '}(K\u0001NK\u0001Nu', /sets "1" twice/],
    ['an odd number of items', '}(K\u0001u', /adds to what is no dictionary/],
    ['an unknown value', 'h\u0005', /recalls value 5/],
    ['an empty stack', 'a', /stack is empty/],
    ['no mark', 't', /no mark/],
    ['two values', 'NN.', /more than one value/],
    ['a text of 4 GiB', 'X\u00ff\u00ff\u00ff\u00ff', /ends in the middle/],
    ['broken UTF-8', 'X\u0001\u0000\u0000\u0000\u00ff', /not UTF-8/],
    ['an unknown instruction', '\u00fe', /0xfe/],
  ])('%s', async (_, pickle, reason) => {
    await refused(ascii(pickle), reason);
  });

  it('very many objects, marks and texts', async () => {
    await refused(Buffer.alloc(4_000_000, '}'), /more than 100000 objects/);
    await refused(Buffer.alloc(4_000_000, '('), /more than 400000 values/);
    await refused(Buffer.alloc(4_000_000, '(t0'), /POP/);
    await refused(Buffer.concat([ascii(']'), Buffer.alloc(4_000_000, 'Na')]), /more than 400000 values/);
  });

  it.each([
    ['shape beyond the storage', 'K\u0000K\u0005\u0085K\u0001\u0085', /reaches beyond its storage/],
    ['offset beyond the storage', 'K\u0004K\u0001\u0085K\u0001\u0085', /reaches beyond its storage/],
    ['strides beyond the storage', 'K\u0000K\u0002\u0085K\u0009\u0085', /reaches beyond its storage/],
    ['negative shape', 'K\u0000J\u00ff\u00ff\u00ff\u00ff\u0085K\u0001\u0085', /no valid shape/],
    ['negative offset', 'J\u00ff\u00ff\u00ff\u00ffK\u0001\u0085K\u0001\u0085', /no valid shape/],
    [
      'huge shape',
      `K\u0000${'J\u00ff\u00ff\u00ff\u007f'.repeat(3)}\u0087${'J\u00ff\u00ff\u00ff\u007f'.repeat(3)}\u0087`,
      /reaches beyond/,
    ],
    [
      'a trillion times the same',
      `K\u0000${'J\u0000\u0000\u0010\u0000'.repeat(2)}\u0086K\u0000K\u0000\u0086`,
      /repeats/,
    ],
    ['shape and strides of two ranks', 'K\u0000K\u0001\u0085)', /no valid shape/],
  ])('tensor: %s', async (_, geometry, reason) => {
    const storage = `(X\u0007\u0000\u0000\u0000storagectorch\nFloatStorage\nX\u0001\u0000\u0000\u00000X\u0003\u0000\u0000\u0000cpuK\u0004tQ`;
    await refused(ascii(`ctorch._utils\n_rebuild_tensor_v2\n(${storage}${geometry}\u0089}tR`), reason);
  });
});
