import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { Linear, saveModel, writeNpy } from '../../lib/index.js';
import { cost } from './cost.js';
import { floats, graphBytes, node } from './onnx/build.js';
import { peerFile } from './peer_file.js';
import { temporaryFolder } from './temporary_folder.js';

// What a hostile file costs, measured from outside: a process reads it and says how much memory it had at most.

const path = temporaryFolder();
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

async function expectBounded(
  name: string,
  valid: string,
  file: string,
  fileBytes = statSync(file).size,
): Promise<void> {
  const { bytes, milliseconds, code } = await cost('read', name, valid, file);
  expect(code).toMatch(/^ERR_(FORMAT|UNSUPPORTED)$/);
  // Other systems count memory in other ways.
  if (process.platform === 'linux') expect(bytes).toBeLessThan(2 * fileBytes + (64 << 20));
  expect(milliseconds).toBeLessThan(1000);
}

/** A text of many times the same, joined by commas. */
const list = (item: string, count: number) => Array(count).fill(item).join();

function safetensors(header: string): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}

/** A zip archive of deflated members. */
function zip(members: Record<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const [name, content] of Object.entries(members)) {
    const data = deflateRawSync(content);
    const local = Buffer.alloc(30);
    local.write('PK\u0003\u0004', 0, 'latin1');
    local.writeUInt16LE(8, 8);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(content.length, 22);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.write('PK\u0001\u0002', 0, 'latin1');
    local.copy(entry, 6, 4, 30);
    entry.writeUInt32LE(position, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), data);
    position += local.length + name.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(Object.keys(members).length, 8);
  end.writeUInt16LE(Object.keys(members).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function npy(descr: string, shape: string, bytes: number): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const start = Buffer.from('\u0093NUMPY\u0001\u0000__', 'latin1');
  start.writeUInt16LE(text.length, 8);
  return Buffer.concat([start, Buffer.from(text), Buffer.alloc(bytes)]);
}

/** A legacy file whose object is this pickle. */
function torch(pickle: Buffer): Buffer {
  const valid = readFileSync(fixture('pytorch/views_legacy.pt'));
  return Buffer.concat([valid.subarray(0, valid.indexOf(0x2e, valid.indexOf('type_sizes')) + 1), pickle]);
}
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const many = (text: string, count: number) => Buffer.alloc(text.length * count, text, 'latin1');

function protobuf(number: number, bytes: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; length.length === 0 || rest > 0; rest >>>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

beforeAll(async () => {
  await saveModel(path('valid.safetensors'), new Linear({ inputSize: 1, outputSize: 1 }));
});

describe('safetensors', () => {
  it.each<[string, () => string]>([
    ['brackets', () => `{"a":[${list('[]', 5_000_000)}]}`],
    ['objects', () => `{"a":[${list('{}', 240_000)}]}`],
    ['objects that differ', () => `{"a":{${Array.from({ length: 133_000 }, (_, i) => `"${i}x":{}`).join()}}}`],
    ['strings', () => `{"__metadata__":[${list('"ab"', 1_100_000)}]}`],
    ['numbers', () => `{"a":[${list('0.1', 1_100_000)}]}`],
    ['depth', () => `{"a":${'['.repeat(10_000_000)}`],
    ['a long text', () => `{"__metadata__":{"a":"${'a'.repeat(19_000_000)}"},"b":0}`],
    ['a long text of two bytes for a letter', () => `{"__metadata__":{"a":"\u4e2d${'a'.repeat(19_000_000)}"},"b":0}`],
    [
      'metadata',
      () => `{"__metadata__":{${Array.from({ length: 230_000 }, (_, i) => `"${i}":"a${i}"`).join()}},"b":0}`,
    ],
    ['spaces', () => `{${' '.repeat(19_000_000)}}x`],
  ])('%s', async (_, header) => {
    writeFileSync(path('hostile.safetensors'), safetensors(header()));
    await expectBounded('readStateDict', fixture('safetensors/float32_int32.safetensors'), path('hostile.safetensors'));
  });

  it.each<[string, () => string]>([
    ['brackets', () => `[${list('[]', 4_000_000)}]`],
    ['objects', () => `{"type":"GRU","options":[${list('{}', 240_000)}]}`],
    ['modules in modules', () => `${'{"type":"Sequential","options":['.repeat(5000)}${']}'.repeat(5000)}`],
    ['wide', () => `{"type":"GRU","options":{"inputSize":1000000000,"hiddenSize":1000000000}}`],
  ])('the architecture of a model: %s', async (_, architecture) => {
    const metadata = { 'cudnn-gru': '1', architecture: architecture() };
    writeFileSync(path('hostile.safetensors'), safetensors(JSON.stringify({ __metadata__: metadata })));
    await expectBounded('loadModel', path('valid.safetensors'), path('hostile.safetensors'));
  });
});

describe('pickle', () => {
  it.each<[string, () => Buffer]>([
    ['nothings', () => many('N', 4_000_000)],
    ['a list of nothings', () => Buffer.concat([latin1(']('), many('N', 399_000), latin1('e'), many('N', 10)])],
    ['floating-point numbers', () => many('G\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008', 399_000)],
    ['dictionaries', () => many('}', 4_000_000)],
    ['lists', () => many(']', 4_000_000)],
    ['lists in lists', () => Buffer.concat([many('](', 90_000), many('e', 90_000)])],
    ['marks', () => many('(', 4_000_000)],
    ['what is kept', () => Buffer.concat([latin1('N'), many('\u0094', 4_000_000)])],
    ['texts', () => many('\u008c\u0002ab', 1_000_000)],
    ['long numbers', () => many(`\u008a\u00ff${'\u0001'.repeat(255)}`, 16_000)],
    ['a long text', () => Buffer.concat([latin1('X\u0000\u0090\u00d0\u0003'), Buffer.alloc(64_000_000, 'a')])],
    ['a long name', () => Buffer.concat([latin1('c'), Buffer.alloc(4_000_000, 'a'), latin1('\nb\n')])],
  ])('%s', async (_, pickle) => {
    writeFileSync(path('hostile.pt'), torch(pickle()));
    await expectBounded('readStateDict', peerFile('torch_classifier_legacy.pt'), path('hostile.pt'));
  });

  it('a bomb in an archive', async () => {
    writeFileSync(path('hostile.pt'), zip({ 'a/data.pkl': Buffer.alloc(200 << 20), 'a/version': Buffer.from('3') }));
    await expectBounded('readStateDict', peerFile('torch_classifier.pt'), path('hostile.pt'));
    writeFileSync(path('hostile.pt'), zip({ 'a/data.pkl': Buffer.alloc(20 << 20), 'a/version': Buffer.from('3') }));
    await expectBounded('readStateDict', peerFile('torch_classifier.pt'), path('hostile.pt'));
  });
});

describe('NumPy', () => {
  it.each<[string, Record<string, () => Buffer>]>([
    ['zeros beyond the limit', { 'a.npy': () => npy('<f4', '(8388608,)', 32 << 20) }],
    ['small numbers that grow', { 'a.npy': () => npy('|u1', '(20971520,)', 20 << 20) }],
    ['half numbers that grow', { 'a.npy': () => npy('<f2', '(10485760,)', 20 << 20), 'b.txt': () => Buffer.alloc(1) }],
    [
      'zeros, and then no array',
      { 'a.npy': () => npy('<f4', '(5242880,)', 20 << 20), 'b.npy': () => Buffer.alloc(100) },
    ],
  ])('%s', async (_, members) => {
    writeFileSync(
      path('hostile.npz'),
      zip(Object.fromEntries(Object.entries(members).map(([k, make]) => [k, make()]))),
    );
    await expectBounded('readNpz', fixture('numpy/small_compressed.npz'), path('hostile.npz'));
  });

  it('an array that ends before its terabytes', async () => {
    writeFileSync(path('hostile.npy'), npy('<f4', '(1099511627776,)', 1000));
    await writeNpy(path('valid.npy'), { shape: [1], data: Float32Array.of(1) });
    await expectBounded('readNpy', path('valid.npy'), path('hostile.npy'));
  });
});

describe('ONNX', () => {
  const hostile = async (bytes: Uint8Array) => {
    writeFileSync(path('hostile.onnx'), bytes);
    await expectBounded('importOnnx', peerFile('onnx_torch_gru_legacy.onnx'), path('hostile.onnx'));
  };
  // With operator set 17.
  const inGraph = (...parts: Buffer[]) =>
    Buffer.concat([protobuf(7, Buffer.concat(parts)), protobuf(8, Buffer.from([0x10, 17]))]);
  const output = protobuf(12, protobuf(1, Buffer.from('y')));

  it.each<[string, () => Buffer]>([
    ['nodes', () => inGraph(many('\u000a\u0000', 59_000), output)],
    ['tensors', () => inGraph(many('\u002a\u0000', 4_000_000), output)],
    ['named nodes', () => inGraph(many('\u000a\u0004\u0022\u0002ab', 29_000), output)],
    ['lists of inputs', () => inGraph(protobuf(1, many('\u000a\u0001y', 58_000)), output)],
    ['dimensions', () => inGraph(protobuf(5, protobuf(1, many('\u0001', 30_000_000))), output)],
    ['a long name', () => inGraph(protobuf(5, protobuf(8, Buffer.alloc(40_000_000, 'a'))), output)],
    [
      'a long name of two bytes for a letter',
      () => inGraph(protobuf(5, protobuf(8, Buffer.alloc(40_000_000, '\u4e2d')))),
    ],
    ['what is not read', () => Buffer.concat([protobuf(12, Buffer.alloc(40_000_000)), inGraph(output)])],
    ['subgraphs', () => inGraph(protobuf(1, protobuf(5, protobuf(6, Buffer.alloc(40_000_000)))), output)],
  ])('%s', (_, bytes) => hostile(bytes()));

  it('a graph of many GRU nodes without weights', () =>
    hostile(
      graphBytes({
        node: Array.from({ length: 5000 }, (_, i) =>
          node('GRU', [`v${i}`, 'W', 'R'], [`v${i + 1}`], { hidden_size: 2 }),
        ),
        initializer: [floats('W', [1, 6, 3], Array(18).fill(0.1))],
      }),
    ));

  it('tensors that overlap in another file', async () => {
    writeFileSync(path('weights'), Buffer.alloc(10 << 20));
    const entry = (key: string, value: string) => ({ key, value });
    const names = Array.from({ length: 50 }, (_, i) => `w${i}`);
    writeFileSync(
      path('hostile.onnx'),
      graphBytes({
        node: names.map((name, i) => node('Add', [i === 0 ? 'w0' : `v${i}`, name], [i === 49 ? 'y' : `v${i + 1}`])),
        initializer: names.map((name) => ({
          name,
          dims: [(10 << 20) / 4],
          data_type: 1,
          data_location: 1,
          external_data: [entry('location', 'weights')],
        })),
        output: [{ name: 'y', type: { tensor_type: { elem_type: 1 } } }],
      }),
    );
    await expectBounded('importOnnx', peerFile('onnx_torch_gru_legacy.onnx'), path('hostile.onnx'), 10 << 20);
  });
});

describe('Keras', () => {
  const weights = Buffer.from('\u0089HDF\r\n\u001a\n', 'latin1');
  it.each<[string, () => string]>([
    ['brackets', () => `[${list('[]', 2_000_000)}]`],
    ['objects', () => `{"class_name":"Sequential","config":{"layers":[${list('{}', 240_000)}]}}`],
    ['a text beyond the limit', () => JSON.stringify('a'.repeat(20_000_000))],
  ])('the config: %s', async (_, config) => {
    const members = { 'config.json': Buffer.from(config()), 'metadata.json': Buffer.from('{}') };
    writeFileSync(path('hostile.keras'), zip({ ...members, 'model.weights.h5': weights }));
    await expectBounded('importModel', peerFile('onnx_torch_gru_legacy.onnx'), path('hostile.keras'));
  });
});
