import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { Dataset, File, Group } from 'h5wasm';
import type { Hdf5Array, Hdf5Contents, Hdf5Source } from './hdf5.js';

// What h5wasm, the HDF5 library as WebAssembly, is asked to do, within limits. It sees a file system in memory with one file in it, whose
// bytes are read or written by ranges as it asks for them: links to other files lead nowhere.

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

/** Writes a file, array by array. */
export class Hdf5Writer {
  readonly #file: File;
  readonly #unmount: () => void;

  private constructor(file: File, unmount: () => void) {
    this.#file = file;
    this.#unmount = unmount;
  }

  /** @param path of an empty file on the disk */
  static async create(h5: H5wasm, path: string): Promise<Hdf5Writer> {
    const unmount = mountTarget((await h5.ready).FS as unknown as FileSystem, path);
    return new Hdf5Writer(new h5.File(FILE, 'w'), unmount);
  }

  add({ path, shape, data }: Hdf5Array): void {
    const [, folder, name] = /^(.*)\/([^/]+)$/.exec(path) as unknown as [string, string, string];
    this.#group(folder).create_dataset({ name, shape: [...shape], data: data as Float32Array, dtype: '<f4' });
  }

  /** @param names the attribute `name` of groups, by their paths */
  finish(names: Readonly<Record<string, string>>): void {
    for (const [path, name] of Object.entries(names)) this.#group(path).create_attribute('name', name);
    this.#file.close();
    this.#unmount();
  }

  #group(path: string): Group {
    let group: Group = this.#file;
    for (const part of path.split('/').filter(Boolean)) {
      group = (group.keys().includes(part) ? group.get(part) : group.create_group(part)) as Group;
    }
    return group;
  }
}

// Makes a file on the disk the library's only file; gives back what takes it away again.
function mountTarget(files: FileSystem, path: string): () => void {
  const descriptor = openSync(path, 'r+');
  const node = files.createFile('/', FILE, {}, true, true);
  const memory = node.node_ops as {
    getattr: (node: unknown) => Record<string, unknown>;
    setattr: (node: unknown, attributes: { size?: number }) => void;
  };
  node.node_ops = {
    ...memory,
    getattr: (entry: unknown) => ({ ...memory.getattr(entry), size: node.usedBytes }),
    setattr: (entry: unknown, { size, ...others }: { size?: number }) => {
      memory.setattr(entry, others);
      if (size === undefined) return;
      ftruncateSync(descriptor, size);
      node.usedBytes = size;
    },
  };
  node.stream_ops = {
    ...node.stream_ops,
    read: (_: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number =>
      readSync(descriptor, buffer, offset, length, position),
    write: (_: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number => {
      for (let done = 0; done < length; ) {
        done += writeSync(descriptor, buffer, offset + done, length - done, position + done);
      }
      node.usedBytes = Math.max(node.usedBytes, position + length);
      return length;
    },
  };
  return () => {
    closeSync(descriptor);
    files.unlink(FILE);
  };
}
