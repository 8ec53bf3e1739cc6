import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import type { StateDict } from '../../layers/module.js';
import { type ByteSource, readBytes, SourceSlice } from '../byte_source.js';
import { BITS } from '../element_types.js';
import { usualArrayBytes, usualUnfoldedBytes, ZipArchive } from '../zip/zip_archive.js';
import { MAX_PICKLE_BYTES, PickleBudget, PickleObject, type PickleValue, unpickle } from './pickle.js';
import { readView, type StorageReference, storageReference, TensorView, tensorGlobals } from './tensor_view.js';

// torch.save writes a zip archive of one pickle and one member for each storage; before PyTorch 1.6, and on request, five pickles
// (magic number, protocol, system, the object, storage keys) and the storages behind them, each an int64 count and its elements.

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/** What torch.save wrote, and how to come at its storages. */
interface Saved {
  root: PickleValue;
  bigEndian: boolean;
  storage: (key: string) => Promise<ByteSource>;
}

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a PyTorch file that can be read: ${reason}`);
}

/**
 * The tensors of a state_dict by name, from what torch.save wrote. Nothing in the file is run.
 *
 * @param key which entry of the saved dictionary holds the state_dict, where it is not the whole
 * @throws CudnnGruError `ERR_FORMAT`; `ERR_UNSUPPORTED` for what is no state_dict, naming what the file asks for
 */
export async function readPytorchStateDict(source: ByteSource, key?: string): Promise<StateDict> {
  const start = await readBytes(source, 0, Math.min(4, source.size));
  const isZip = Buffer.from(start).toString('latin1') === 'PK\u0003\u0004';
  const saved = isZip ? await openZip(source) : await openLegacy(source);
  const tensors = stateDictOf(saved.root, key);
  checkSize(tensors, source);
  // A tensor that two names share is read once.
  const read = new Map<string, Float32Array | Int32Array>();
  const state: [string, StateDict[string]][] = [];
  for (const [name, view] of tensors) {
    let data = read.get(view.identity);
    if (!data) {
      data = await readView(view, await saved.storage(view.storage.key), name, saved.bigEndian);
      read.set(view.identity, data);
    }
    state.push([name, { shape: view.shape, data }]);
  }
  return Object.fromEntries(state);
}

// Tensors may overlap in their storages: without a limit, a small file could ask for any amount of memory.
function checkSize(tensors: ReadonlyMap<string, TensorView>, source: ByteSource): void {
  const views = new Map(Array.from(tensors.values(), (view) => [view.identity, view]));
  let bytes = 0;
  let elements = 0;
  for (const view of views.values()) {
    bytes += view.byteLength;
    elements += view.count;
  }
  if (bytes > usualUnfoldedBytes(source) || 4 * elements > usualArrayBytes(source)) {
    throw malformed(`its tensors overlap or unfold: they have ${bytes} bytes, and the file ${source.size}`);
  }
}

async function openZip(source: ByteSource): Promise<Saved> {
  const archive = await ZipArchive.open(source);
  const pickles = [...archive.entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) throw malformed('its archive has no single data.pkl');
  const folder = pickle.slice(0, -'data.pkl'.length);
  const member = await archive.member(pickle);
  if (member.size > MAX_PICKLE_BYTES) throw malformed(`its pickle has more than ${MAX_PICKLE_BYTES} bytes`);
  const { value } = unpickle(await readBytes(member, 0, member.size), 0, {
    globals: tensorGlobals,
    persistent: storageReference,
    budget: new PickleBudget(),
  });
  const order = archive.entries.has(`${folder}byteorder`) ? await archive.text(`${folder}byteorder`, 16) : 'little';
  return {
    root: value,
    bigEndian: order === 'big',
    storage: (key) => archive.member(`${folder}data/${key}`),
  };
}

async function openLegacy(source: ByteSource): Promise<Saved> {
  const bytes = await readBytes(source, 0, Math.min(source.size, MAX_PICKLE_BYTES));
  if (bytes[0] !== 0x80) throw malformed('it is neither a zip archive nor a pickle');
  const storages = new Map<string, StorageReference>();
  const environment = {
    globals: tensorGlobals,
    persistent: (id: PickleValue) => {
      const storage = storageReference(id);
      storages.set(storage.key, storage);
      return storage;
    },
    budget: new PickleBudget(),
  };
  let position = 0;
  const next = () => {
    const { value, end } = unpickle(bytes, position, environment);
    position = end;
    return value;
  };
  if (next() !== LEGACY_MAGIC || next() !== LEGACY_PROTOCOL)
    throw malformed('it is a pickle, but not one of torch.save');
  const system = next();
  const root = next();
  const keys = next();
  if (!(system instanceof Map) || !Array.isArray(keys)) throw malformed('its pickles are not those of torch.save');
  const bigEndian = system.get('little_endian') === false;

  const positions = new Map<string, { start: number; byteLength: number }>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || positions.has(storage.key)) throw malformed(`it lists the storage ${quote(String(key))} wrongly`);
    const count = Buffer.from(await readBytes(source, position, 8));
    const byteLength = (Number(bigEndian ? count.readBigInt64BE() : count.readBigInt64LE()) * BITS[storage.type]) / 8;
    if (!(byteLength >= 0 && position + 8 + byteLength <= source.size)) {
      throw malformed(`the storage ${quote(storage.key)} ends beyond the file; is it truncated?`);
    }
    positions.set(storage.key, { start: position + 8, byteLength });
    position += 8 + byteLength;
  }
  return {
    root,
    bigEndian,
    storage: async (key) => {
      const found = positions.get(key);
      if (!found) throw malformed(`it holds no storage ${quote(key)}`);
      return new SourceSlice(source, found.start, found.byteLength);
    },
  };
}

function stateDictOf(root: PickleValue, key: string | undefined): Map<string, TensorView> {
  const holds = root instanceof Map ? [...root.keys()].map((name) => quote(String(name))).slice(0, 20) : [];
  const list = `it holds ${holds.length > 0 ? `a dictionary of ${holds.join(', ')}` : kindOf(root)}`;
  if (key === undefined) {
    const found = asTensors(root);
    if (found) return found;
    throw new CudnnGruError('ERR_UNSUPPORTED', `not a state_dict: ${list}; say by \`key\` which entry is one`);
  }
  const chosen = root instanceof Map ? root.get(key) : undefined;
  if (chosen === undefined) throw new CudnnGruError('ERR_UNSUPPORTED', `there is no entry ${quote(key)}: ${list}`);
  const found = asTensors(chosen);
  if (found) return found;
  throw new CudnnGruError('ERR_UNSUPPORTED', `the entry ${quote(key)} is not a state_dict`);
}

function asTensors(value: PickleValue): Map<string, TensorView> | undefined {
  if (!(value instanceof Map)) return undefined;
  const isTensors = [...value].every(([name, item]) => typeof name === 'string' && item instanceof TensorView);
  return isTensors ? (value as Map<string, TensorView>) : undefined;
}

function kindOf(value: PickleValue): string {
  if (value instanceof PickleObject) return `a ${value.kind}`;
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
