import { describe, quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { BITS, type ElementType, isElementType } from './element_types.js';
import { closingQuote, jsonProblem } from './json_limits.js';

// The header of a safetensors file (https://github.com/huggingface/safetensors#format): 8 bytes with its length, then
// JSON from tensor names to { dtype, shape, data_offsets }, then the data. Everything a header claims is checked here
// against the size of the file, before anything is allocated for it.

/** Less than the 100 MB of the reference implementation: the text and its strings take four times these bytes. */
export const MAX_HEADER_BYTES = 20_000_000;

// The header, a tensor, its shape.
const MAX_DEPTH = 3;

export const METADATA_KEY = '__metadata__';

/** One tensor of a file. */
export interface TensorEntry {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Position of the first byte in the file. */
  readonly position: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the header. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
}

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a valid safetensors file: ${reason}`);
}

/** The length of the JSON, from the first 8 bytes of a file (fewer when the file is shorter). */
export function parseHeaderLength(start: Uint8Array, fileSize: number): number {
  if (start.byteLength < 8) throw malformed(`it has ${fileSize} bytes, and a header needs at least 10`);
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw malformed(`it claims a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are allowed`);
  }
  if (length < 2n) throw malformed(`it claims a header of ${length} bytes, and the shortest one has 2`);
  if (Number(length) > fileSize - 8) {
    throw malformed(`it claims a header of ${length} bytes and has ${fileSize - 8} after the length; is it truncated?`);
  }
  return Number(length);
}

/** Reads and checks the JSON of a header. `fileSize` is in bytes. */
export function parseHeader(json: Uint8Array, fileSize: number): Header {
  if (json[0] !== 0x7b) throw malformed('its header does not start with "{"');
  const text = parsing(() => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json));
  const problem = jsonProblem(text, MAX_DEPTH);
  if (problem !== undefined) throw malformed(`its header ${problem}`);
  const parsed = parsing(() => JSON.parse(text) as Record<string, unknown>);
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) throw malformed(`its header names ${quote(repeated)} twice`);

  const metadata = parseMetadata(parsed[METADATA_KEY]);
  const entries = new Map<string, TensorEntry>();
  const dataStart = 8 + json.byteLength;
  for (const [name, value] of Object.entries(parsed)) {
    if (name === METADATA_KEY) continue;
    const problem = nameProblem(name);
    if (problem !== undefined) throw malformed(`tensor name ${quote(name)} ${problem}`);
    entries.set(name, parseEntry(name, value, dataStart));
  }
  checkCoverage(entries, dataStart, fileSize);
  return { metadata, entries };
}

function parsing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw malformed(`its header is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Why a tensor cannot be called this; undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (name.length === 0) return 'is empty';
  if (name === METADATA_KEY || name === '__proto__') return 'is reserved';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'holds a control character';
  return /\p{Surrogate}/u.test(name) ? 'is not valid Unicode' : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value) || !Object.values(value).every((item) => typeof item === 'string')) {
    throw malformed(`${METADATA_KEY} is not an object of strings`);
  }
  return value as Record<string, string>;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseEntry(name: string, value: unknown, dataStart: number): TensorEntry {
  const what = `tensor ${quote(name)}`;
  if (!isRecord(value)) throw malformed(`${what} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isElementType(dtype)) throw malformed(`${what} has the unknown dtype ${describe(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(isCount)) throw malformed(`${what} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw malformed(`${what} has no valid data_offsets`);
  }
  const [begin, end] = offsets as [number, number];
  if (end < begin || bitsOf(dtype, shape) !== (end - begin) * 8) {
    throw malformed(`${what} (${dtype}, shape ${describe(shape)}) cannot fill the bytes ${begin} to ${end}`);
  }
  return { dtype, shape, byteLength: end - begin, position: dataStart + begin };
}

// The size of a tensor; infinity as soon as the product of the shape is larger than any file, so that it is never rounded.
function bitsOf(dtype: ElementType, shape: readonly number[]): number {
  if (shape.includes(0)) return 0;
  let bits: number = BITS[dtype];
  for (const dimension of shape) {
    bits *= dimension;
    if (bits > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  }
  return bits;
}

// The tensors, in the order of their positions, must fill the file to its last byte: no hole, no overlap, no rest.
function checkCoverage(entries: ReadonlyMap<string, TensorEntry>, dataStart: number, fileSize: number): void {
  const sorted = [...entries].sort(([, a], [, b]) => a.position - b.position || a.byteLength - b.byteLength);
  let position = dataStart;
  for (const [name, entry] of sorted) {
    if (entry.position !== position) {
      const fault = entry.position < position ? 'overlaps the one before it' : 'leaves a hole before it';
      throw malformed(`tensor ${quote(name)} ${fault}`);
    }
    position += entry.byteLength;
    if (position > fileSize) throw malformed(`tensor ${quote(name)} ends beyond the file; is it truncated?`);
  }
  if (position !== fileSize) throw malformed(`${fileSize - position} bytes behind the last tensor belong to none`);
}

// JSON.parse keeps the last of two equal keys without a word. `text` is known to be valid JSON, so strings, brackets
// and colons are all that has to be told apart; a string followed by a colon is a key.
function findRepeatedKey(text: string): string | undefined {
  const keys: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{') keys.push(new Set());
    else if (character === '}') keys.pop();
    else if (character === '"') {
      const end = closingQuote(text, i) + 1;
      if (isFollowedByColon(text, end)) {
        const key = JSON.parse(text.slice(i, end)) as string;
        const known = keys[keys.length - 1];
        if (known?.has(key)) return key;
        known?.add(key);
      }
      i = end - 1;
    }
  }
  return undefined;
}

function isFollowedByColon(text: string, position: number): boolean {
  let i = position;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
}
