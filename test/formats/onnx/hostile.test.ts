import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { describe, expect, it, test } from 'vitest';
import { MemorySource } from '../../../lib/formats/byte_source.js';
import type { GraphInput } from '../../../lib/formats/onnx/graph.js';
import { modelFrom } from '../../../lib/formats/onnx/import.js';
import { TensorReader } from '../../../lib/formats/onnx/tensors.js';
import { writeSafetensors } from '../../../lib/formats/safetensors.js';
import {
  CudnnGruError,
  importOnnx,
  loadModel,
  type OnnxInput,
  randn,
  saveModel,
  synchronize,
  zeros,
} from '../../../lib/index.js';
import { cpuMilliseconds, fuzz } from '../fuzz.js';
import { peerFile } from '../peer_file.js';
import { temporaryFolder } from '../temporary_folder.js';
import { float32, floats, graphBytes, integers, node } from './build.js';

const path = temporaryFolder();

async function importing(bytes: Uint8Array) {
  writeFileSync(path('model.onnx'), bytes);
  return importOnnx(path('model.onnx'));
}

const gruWeights = [floats('W', [1, 6, 3], Array(18).fill(0.1)), floats('R', [1, 6, 2], Array(12).fill(0.1))];

function gruGraph(attributes: Parameters<typeof node>[3]) {
  return graphBytes({
    node: [node('GRU', ['x', 'W', 'R'], ['y'], { hidden_size: 2, ...attributes })],
    initializer: gruWeights,
    input: [float32('x', 'time', 'batch', 3)],
    output: [float32('y', 'time', 1, 'batch', 2)],
  });
}

describe('what is not supported is refused by name', () => {
  it.each<[string, Parameters<typeof node>[3], RegExp]>([
    ['clip', { clip: 3 }, /GRU with clip/],
    ['activations', { activations: ['Relu', 'Tanh'] }, /GRU with the activations Relu, Tanh/],
    ['an unknown direction', { direction: 'up' }, /GRU with the direction up/],
    ['an unknown attribute', { mystery: 1 }, /GRU with mystery/],
  ])('%s', async (_, attributes, reason) => {
    await expect(importing(gruGraph(attributes))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringMatching(reason),
    });
  });

  it('sigmoid and tanh may be written out', async () => {
    const model = await importing(gruGraph({ activations: ['Sigmoid', 'TANH'], layout: 0 }));
    expect(model.forward(randn([4, 2, 3])).shape).toEqual([4, 1, 2, 2]);
  });

  it.each(['keras_bi_gru_dense_reset_after', 'keras_bi_gru_dense_reset_before', 'keras2_bi_gru_dense_reset_before'])(
    'a GRU that became a loop: %s',
    async (name) => {
      await expect(importOnnx(peerFile(`onnx_${name}.onnx`))).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: expect.stringMatching(/Loop \(.*import the \.keras/s),
      });
    },
  );

  it('every unsupported node in one error', async () => {
    const bytes = graphBytes({
      node: [
        node('Conv', ['x'], ['a']),
        node('Conv', ['a'], ['b']),
        node('Erf', ['b'], ['c']),
        { ...node('Fused', ['c'], ['d']), domain: 'com.microsoft' },
        node('Hardmax', ['x'], ['unused']),
      ],
      input: [float32('x', 1)],
      output: [float32('d', 1)],
    });
    await expect(importing(bytes)).rejects.toThrow(/Conv \("a", "b"\); Erf \("c"\); com.microsoft.Fused \("d"\)$/);
  });

  it('old operator sets, strings, weights that do not fit', async () => {
    await expect(importing(graphBytes({ output: [float32('y')] }, 6))).rejects.toThrow(/operator set 6/);
    const text = graphBytes({
      node: [node('Identity', ['s'], ['y'])],
      initializer: [{ name: 's', dims: [1], data_type: 8 }],
      output: [float32('y', 1)],
    });
    await expect(importing(text)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
    const wrong = graphBytes({
      node: [node('GRU', ['x', 'W', 'R'], ['y'])],
      initializer: [gruWeights[0] as never, floats('R', [1, 5, 2], Array(10).fill(0))],
      input: [float32('x', 1, 1, 3)],
      output: [float32('y', 1, 1, 1, 2)],
    });
    await expect(importing(wrong)).rejects.toThrow(/weights of shape \[1,5,2\]/);
  });
});

describe('lies about tensors', () => {
  const withTensor = (tensor: Parameters<typeof graphBytes>[0]['initializer']) =>
    graphBytes({
      node: [node('Add', ['x', 'w'], ['y'])],
      initializer: tensor ?? [],
      input: [float32('x', 2)],
      output: [float32('y', 2)],
    });
  const raw_data = new Uint8Array(8);

  it.each<[string, Parameters<typeof graphBytes>[0]['initializer'], RegExp]>([
    ['too few bytes', [{ name: 'w', dims: [3], data_type: 1, raw_data }], /8 bytes for shape \[3\]/],
    ['terabytes', [{ name: 'w', dims: [2 ** 40], data_type: 1, raw_data }], /8 bytes for shape/],
    ['a negative size', [{ name: 'w', dims: [-2], data_type: 1, raw_data }], /no valid shape/],
    ['overflowing sizes', [{ name: 'w', dims: [2 ** 32, 2 ** 32], data_type: 1, raw_data }], /no valid shape/],
    ['the same name twice', [floats('w', [2], [1, 2]), floats('w', [2], [1, 2])], /"w" is there twice/],
    ['too many integers', [{ name: 'w', dims: [2], data_type: 7, int64_data: [1, 2, 3] }], /3 numbers for shape/],
  ])('%s', async (_, tensors, reason) => {
    await expect(importing(withTensor(tensors))).rejects.toMatchObject({
      code: 'ERR_FORMAT',
      message: expect.stringMatching(reason),
    });
  });

  it('values that nobody makes, or two do', async () => {
    const missing = graphBytes({ node: [node('Relu', ['z'], ['y'])], output: [float32('y', 1)] });
    await expect(importing(missing)).rejects.toThrow(/"z" is used before it is made/);
    const twice = graphBytes({
      node: [node('Relu', ['x'], ['y']), node('Tanh', ['x'], ['y'])],
      input: [float32('x', 1)],
      output: [float32('y', 1)],
    });
    await expect(importing(twice)).rejects.toThrow(/"y" is made twice/);
    const empty = graphBytes({ node: [node('Relu', ['x'], ['y'])], input: [float32('x', 1)] });
    await expect(importing(empty)).rejects.toThrow(/no graph with outputs/);
  });

  it('constants that grow without end', async () => {
    const doubling = Array.from({ length: 40 }, (_, i) =>
      node('Concat', [`v${i}`, `v${i}`], [`v${i + 1}`], { axis: 0 }),
    );
    const bytes = graphBytes({
      node: [...doubling, node('Reshape', ['x', 'v40'], ['y'])],
      initializer: [integers('v0', [1], [1])],
      input: [float32('x', 1)],
      output: [float32('y', 1)],
    });
    await expect(importing(bytes)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
  });

  it('a value of billions at run time', async () => {
    const model = await importing(
      graphBytes({
        node: [node('ConstantOfShape', ['size'], ['zeros']), node('Add', ['x', 'zeros'], ['y'])],
        initializer: [integers('size', [2], [2 ** 30, 2 ** 30])],
        input: [float32('x', 1)],
        output: [float32('y', 1)],
      }),
    );
    expect(() => model.forward(randn([1]))).toThrow(RangeError);
  });
});

it('slices and rows of a tensor without elements', async () => {
  const sliced = await importing(
    graphBytes({
      node: [node('Slice', ['x', 'start', 'end', 'axis', 'step'], ['y'])],
      initializer: [
        integers('start', [1], [0]),
        integers('end', [1], [2 ** 31 - 1]),
        integers('axis', [1], [0]),
        integers('step', [1], [2]),
      ],
      input: [float32('x', 'n', 3)],
      output: [float32('y', 'm', 3)],
    }),
  );
  expect(sliced.forward(zeros([0, 3])).shape).toEqual([0, 3]);
  const gathered = await importing(
    graphBytes({
      node: [node('Gather', ['x', 'at'], ['y'])],
      initializer: [integers('at', [1], [0])],
      input: [float32('x', 'n', 3)],
      output: [float32('y', 1, 3)],
    }),
  );
  expect(() => gathered.forward(zeros([0, 3]))).toThrow(/Gather "y": index 0 of an axis of 0/);
});

describe('protobuf', () => {
  it('millions of empty nodes', async () => {
    const nodes = Buffer.alloc(2_000_000);
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a; // field 1, length 0
    const start = performance.now();
    await expect(importing(Buffer.concat([header(nodes.length), nodes]))).rejects.toThrow(/more than 60000 fields/);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('deep nesting of subgraphs and of groups', async () => {
    let inner: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth < 2000; depth++) {
      // A node with an attribute with a graph, which holds the node before.
      const graph = field(1, inner);
      inner = field(5, field(6, graph));
    }
    const deep = Buffer.concat([field(1, inner), field(12, field(1, Buffer.from('y')))]);
    await expect(importing(Buffer.concat([header(deep.length), deep]))).rejects.toBeInstanceOf(CudnnGruError);
    await expect(importing(Buffer.alloc(100_000, 0x0b))).rejects.toMatchObject({ code: 'ERR_FORMAT' });
  });

  const header = (length: number) => field(7, new Uint8Array(length)).subarray(0, -length);

  function field(number: number, bytes: Uint8Array): Buffer {
    const length: number[] = [];
    let rest = bytes.length;
    do {
      length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
      rest >>>= 7;
    } while (rest > 0);
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
  }
});

describe('external data is read from the own folder only', () => {
  const external = (location: string, offset = '0', length = '8') =>
    graphBytes({
      node: [node('Add', ['x', 'w'], ['y'])],
      initializer: [
        {
          name: 'w',
          dims: [2],
          data_type: 1,
          data_location: 1,
          external_data: [
            { key: 'location', value: location },
            { key: 'offset', value: offset },
            { key: 'length', value: length },
          ],
        },
      ],
      input: [float32('x', 2)],
      output: [float32('y', 2)],
    });

  it('within it, also in a folder inside', async () => {
    mkdirSync(path('inside'));
    writeFileSync(path('inside/weights'), Buffer.from(Float32Array.of(0, 1, 2).buffer));
    const model = await importing(external('inside/weights', '4'));
    expect([...(await model.forward(randn([2]).mul(0)).data())]).toEqual([1, 2]);
  });

  it('never by a path or a link out of it', async () => {
    mkdirSync(path('secret'));
    mkdirSync(path('models'));
    writeFileSync(path('secret/data'), Buffer.alloc(8));
    symlinkSync(path('secret/data'), path('models/link'));
    symlinkSync(path('secret'), path('models/folder'));
    for (const location of ['../secret/data', path('secret/data'), 'link', 'folder/data', 'a/../../secret/data', '']) {
      writeFileSync(path('models/model.onnx'), external(location));
      await expect(importOnnx(path('models/model.onnx')), location).rejects.toMatchObject({
        code: 'ERR_FORMAT',
        message: expect.stringMatching(/out(side)? of the model's folder/),
      });
    }
  });

  it('never beyond its end, and a missing file is named', async () => {
    writeFileSync(path('short'), Buffer.alloc(8));
    for (const [offset, length] of [
      ['4', '8'],
      ['0', '4'],
      ['-4', '8'],
      ['9999999999999999999', '8'],
      ['1e0', '8'],
    ] as const) {
      await expect(importing(external('short', offset, length))).rejects.toMatchObject({ code: 'ERR_FORMAT' });
    }
    await expect(importing(external('missing'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    await copyFile(peerFile('onnx_torch_bi_2l_head_dynamo_external.onnx'), path('alone.onnx'));
    await expect(importOnnx(path('alone.onnx'))).rejects.toThrow(/no such file/);
  });
});

test('a model file whose graph lies', async () => {
  const model = await importOnnx(peerFile('onnx_torch_embedding_head_legacy.onnx'));
  const { graph } = model;
  const lies: unknown[] = [
    null,
    { ...graph, nodes: null },
    { ...graph, opset: 'x' },
    { ...graph, nodes: [{ ...graph.nodes[0], operator: 'constructor' }] },
    { ...graph, nodes: graph.nodes.map((one) => ({ ...one, layer: 7 })) },
    { ...graph, parameters: [{ name: '__proto__', shape: [1] }] },
    { ...graph, parameters: [{ name: 'forward', shape: [1] }] },
    { ...graph, parameters: [{ name: 'big', shape: [2 ** 20, 2 ** 20] }] },
    { ...graph, layers: [{ inputSize: 1e9, hiddenSize: 1e9 }] },
    { ...graph, outputs: ['nothing'] },
    { ...graph, constants: [{ name: 'c', type: 'int', shape: [5], data: [1] }] },
    { ...graph, nodes: graph.nodes.toReversed() },
  ];
  for (const options of lies) {
    const metadata = { 'cudnn-gru': '1', architecture: JSON.stringify({ type: 'OnnxModel', options }) };
    await writeSafetensors(path('lie.safetensors'), {}, metadata);
    await expect(loadModel(path('lie.safetensors'))).rejects.toBeInstanceOf(CudnnGruError);
  }
  await saveModel(path('true.safetensors'), model);
  await expect(loadModel(path('true.safetensors'))).resolves.toBeDefined();
});

const corpus = ['onnx_torch_gru_legacy', 'onnx_torch_gru_dynamo', 'onnx_torch_packed_bi_legacy'].map((name) =>
  readFileSync(peerFile(`${name}.onnx`)),
);

// What was read is run as well: whatever the graph became, it gives numbers or a clear error. A graph may ask for large tensors, as any model
// may: the second is for reading, and running may take longer.
const secondsToRun = 30;

async function readAndRun(bytes: Buffer): Promise<number> {
  const begin = cpuMilliseconds();
  const model = await modelFrom(new MemorySource(bytes), new TensorReader(path('model.onnx')));
  expect(cpuMilliseconds() - begin).toBeLessThan(1000);
  try {
    model.run(Object.fromEntries(model.graph.inputs.map((input) => [input.name, inputFor(input)])));
  } catch (error) {
    expect((error as { code?: string }).code).toMatch(/^ERR_(?!INTERNAL)/);
  }
  // What the queue still has to do belongs to this file's time, not to the next one's.
  await synchronize();
  const size = model.parameters().reduce((sum, { size }) => sum + 4 * size, 0) + JSON.stringify(model.graph).length;
  model.dispose();
  return size;
}

fuzz('.onnx', corpus, readAndRun, secondsToRun);

/** Zeros of the sizes that are fixed, 2 where the graph leaves them open. */
function inputFor({ type, shape }: GraphInput): OnnxInput {
  const sizes = (shape ?? []).map((size) => (typeof size === 'number' && size < 100 ? size : 2));
  if (type === 'float') return zeros(sizes);
  return sizes.length === 1 ? new Int32Array(sizes[0] as number) : zeros(sizes, { dtype: 'int32' });
}
