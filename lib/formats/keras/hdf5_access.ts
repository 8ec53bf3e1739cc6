import { closeSync, openSync, readSync } from 'node:fs';
import type { Dataset, File, Group } from 'h5wasm';
import type { Hdf5Array, Hdf5Contents, Hdf5Source } from './hdf5.js';

// What h5wasm, the HDF5 library as WebAssembly, is asked to do, within limits. It sees a file system in memory with one file in it, whose
// bytes are read by ranges as it asks for them: links to other files lead nowhere.

const MAX_OBJECTS = 20_000;
const MAX_DEPTH = 16;
const FLOAT = 1;
const FILE = 'model.h5';

export type H5wasm = typeof import('h5wasm').default;

// Of Node's global WebAssembly, which its types leave to those of browsers.
interface WasmMemory {
  buffer: ArrayBuffer;
  grow(this: WasmMemory, pages: number): number;
}

/** h5wasm's memory grows through this function alone; where it fails, HDF5 reports that it has no memory. */
export function limitMemory(maxBytes: number): void {
  const { prototype } = (globalThis as unknown as { WebAssembly: { Memory: { prototype: WasmMemory } } }).WebAssembly
    .Memory;
  const grow = prototype.grow;
  prototype.grow = function (pages: number): number {
    if (this.buffer.byteLength + pages * 65_536 > maxBytes) throw new RangeError('the memory limit is reached');
    return grow.call(this, pages);
  };
}

interface FileNode {
  usedBytes: number;
  node_ops: Record<string, unknown>;
  stream_ops: Record<string, unknown>;
}

interface FileSystem {
  createFile(parent: string, name: string, properties: object, canRead: boolean, canWrite: boolean): FileNode;
  readFile(path: string): Uint8Array;
  unlink(path: string): void;
}

// Makes the source a file of the library's; gives back what takes it away again.
function mountSource(files: FileSystem, source: Hdf5Source): () => void {
  const { size } = source;
  const file = 'path' in source ? { descriptor: openSync(source.path, 'r'), start: source.start } : null;
  const node = files.createFile('/', FILE, {}, true, false);
  const memory = node.node_ops as { getattr: (node: unknown) => Record<string, unknown> };
  node.node_ops = { ...memory, getattr: (entry: unknown) => ({ ...memory.getattr(entry), size }) };
  node.usedBytes = size;
  node.stream_ops = {
    ...node.stream_ops,
    read: (_: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number => {
      const count = Math.max(0, Math.min(length, size - position));
      if (file) return readSync(file.descriptor, buffer, offset, count, file.start + position);
      if ('bytes' in source) buffer.set(source.bytes.subarray(position, position + count), offset);
      return count;
    },
  };
  return () => {
    if (file) closeSync(file.descriptor);
    files.unlink(FILE);
  };
}

/**
 * All arrays of float32 and float64, but for the optimizer's, and the attributes that name them.
 *
 * @param maxBytes what all arrays together may have
 * @throws Error saying what the file lacks
 */
export async function readContents(h5: H5wasm, source: Hdf5Source, maxBytes: number): Promise<Hdf5Contents> {
  const unmount = mountSource((await h5.ready).FS as unknown as FileSystem, source);
  try {
    const file = new h5.File(FILE, 'r');
    try {
      return visitAll(h5, file, maxBytes);
    } finally {
      file.close();
    }
  } finally {
    unmount();
  }
}

function visitAll(h5: H5wasm, file: File, maxBytes: number): Hdf5Contents {
  const contents: Hdf5Contents = { attributes: {}, arrays: [] };
  let objects = 0;
  let bytes = 0;
  const visit = (group: Group, path: string, depth: number) => {
    objects++;
    if (objects > MAX_OBJECTS || depth > MAX_DEPTH) throw new Error('it holds too many groups, or groups in groups');
    for (const [name, attribute] of Object.entries(group.attrs)) {
      if (!/^(model_config|keras_version|name|weight_names\d*)$/.test(name)) continue;
      contents.attributes[`${path}@${name}`] = attribute.json_value;
    }
    for (const name of group.keys()) {
      if (path === '' && name.startsWith('optimizer')) continue;
      const entity = group.get(name);
      const inner = path === '' ? name : `${path}/${name}`;
      if (entity instanceof h5.Group) visit(entity, inner, depth + 1);
      if (!(entity instanceof h5.Dataset)) continue;
      const array = readArray(entity, inner, maxBytes - bytes);
      objects++;
      bytes += array.data?.byteLength ?? 0;
      contents.arrays.push(array);
    }
  };
  visit(file, '', 0);
  return contents;
}

function readArray(dataset: Dataset, path: string, maxBytes: number): Hdf5Array {
  const { type, size, shape } = dataset.metadata;
  const dimensions = shape ?? [];
  if (type !== FLOAT || (size !== 4 && size !== 8)) return { path, shape: dimensions, data: null };
  const count = dimensions.reduce((product, dimension) => product * dimension, 1);
  if (count * size > maxBytes)
    throw new Error(`its array ${JSON.stringify(path)} of ${count} numbers is larger than the file`);
  const value = count === 0 ? new Float32Array(0) : dataset.value;
  if (!(value instanceof Float32Array || value instanceof Float64Array) || value.length !== count) {
    throw new Error(`its array ${JSON.stringify(path)} cannot be read`);
  }
  return { path, shape: dimensions, data: value };
}

/** The bytes of a file with these arrays, and an attribute `name` at each of these paths. */
export async function writeContents(
  h5: H5wasm,
  arrays: readonly Hdf5Array[],
  attributes: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const file: File = new h5.File(FILE, 'w');
  const groupAt = (path: string): Group => {
    let group: Group = file;
    for (const part of path.split('/').filter(Boolean)) {
      group = (group.keys().includes(part) ? group.get(part) : group.create_group(part)) as Group;
    }
    return group;
  };
  for (const { path, shape, data } of arrays) {
    const [, folder, name] = /^(.*)\/([^/]+)$/.exec(path) as unknown as [string, string, string];
    groupAt(folder).create_dataset({ name, shape: [...shape], data: data as Float32Array, dtype: '<f4' });
  }
  for (const [path, value] of Object.entries(attributes)) groupAt(path).create_attribute('name', value);
  file.close();
  return ((await h5.ready).FS as unknown as FileSystem).readFile(FILE);
}
