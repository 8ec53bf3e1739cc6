import { argumentRangeError, argumentTypeError } from './errors.js';

// One vocabulary of argument checks. Each check returns the value it accepted, with its type narrowed; a wrong kind is
// a TypeError, a wrong number or shape a RangeError, and the message reads
// `hiddenSize: expected an integer >= 1, got -3 (number)`.

/** Bounds of a number: `min` and `max` are allowed values, `above` and `below` are not. */
export interface Bounds {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
}

/** A text in quotes, cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** A short, safe rendering of any value for an error message: `-3 (number)`, `"abc" (string)`, `Float32Array of 3`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `${quote(value)} (string)`;
  if (typeof value === 'function') return `a function${value.name ? ` (${value.name})` : ''}`;
  if (typeof value !== 'object') return `${String(value)} (${typeof value})`;
  if (Array.isArray(value)) {
    const plain = value.length <= 8 && value.every((item) => typeof item === 'number');
    return plain ? `[${value.join(', ')}]` : `an array of ${value.length}`;
  }
  const inspect = (value as Record<symbol, unknown>)[Symbol.for('nodejs.util.inspect.custom')];
  const own = typeof inspect === 'function' ? inspect.call(value) : undefined;
  if (typeof own === 'string') return own;
  const kind = value.constructor?.name || 'Object';
  if (ArrayBuffer.isView(value) && 'length' in value) return `${kind} of ${String(value.length)}`;
  return kind === 'Object' ? 'an object' : `an object (${kind})`;
}

export function wrongKind(name: string, expected: string, value: unknown): Error {
  return argumentTypeError(`${name}: expected ${expected}, got ${describe(value)}`);
}

export function wrongRange(name: string, expected: string, value: unknown): Error {
  return argumentRangeError(`${name}: expected ${expected}, got ${describe(value)}`);
}

function boundsText({ min, max, above, below }: Bounds): string {
  const parts = [];
  if (min !== undefined) parts.push(`>= ${min}`);
  if (above !== undefined) parts.push(`> ${above}`);
  if (max !== undefined) parts.push(`<= ${max}`);
  if (below !== undefined) parts.push(`< ${below}`);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

function isInside(value: number, { min, max, above, below }: Bounds): boolean {
  if (min !== undefined && value < min) return false;
  if (max !== undefined && value > max) return false;
  if (above !== undefined && value <= above) return false;
  return below === undefined || value < below;
}

function wrongNumber(value: unknown, name: string, expected: string): Error {
  return (typeof value === 'number' ? wrongRange : wrongKind)(name, expected, value);
}

/** A finite number inside `bounds`. */
export function checkNumber(value: unknown, name: string, bounds: Bounds = {}): number {
  if (typeof value === 'number' && Number.isFinite(value) && isInside(value, bounds)) return value;
  throw wrongNumber(value, name, `a finite number${boundsText(bounds)}`);
}

/** An integer that a float64 holds exactly, inside `bounds`. */
export function checkInteger(value: unknown, name: string, bounds: Bounds = {}): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && isInside(value, bounds)) return value;
  throw wrongNumber(value, name, `an integer${boundsText(bounds)}`);
}

export function checkPositiveInteger(value: unknown, name: string): number {
  return checkInteger(value, name, { min: 1 });
}

/** A seed of a random generator: an integer from 0 to 2^53 - 1. */
export function checkSeed(value: unknown, name = 'seed'): number {
  return checkInteger(value, name, { min: 0 });
}

export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw wrongKind(name, 'true or false', value);
  return value;
}

/** A string of at least one character. */
export function checkString(value: unknown, name: string): string {
  if (typeof value !== 'string') throw wrongKind(name, 'a string', value);
  if (value.length === 0) throw wrongRange(name, 'a string of at least one character', value);
  return value;
}

export function checkFunction<F extends (...args: never[]) => unknown>(value: F | undefined, name: string): F {
  if (typeof value !== 'function') throw wrongKind(name, 'a function', value);
  return value;
}

/** One of a few words; a misspelt one is answered with the nearest. */
export function checkOneOf<T extends string>(value: unknown, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const expected = `one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`;
  if (typeof value !== 'string') throw wrongKind(name, expected, value);
  throw argumentRangeError(`${name}: expected ${expected}, got ${describe(value)}${hint(value, choices)}`);
}

/** A list of dimensions, each an integer >= 0. The result is a copy. */
export function checkShape(value: unknown, name: string): number[] {
  if (!Array.isArray(value)) throw wrongKind(name, 'an array of integers >= 0', value);
  const shape = value.map((dimension, axis) => checkInteger(dimension, `${name}[${axis}]`, { min: 0 }));
  if (shape.reduce((product, dimension) => product * dimension, 1) > 2 ** 40)
    throw wrongRange(name, 'at most 2^40 elements', shape);
  return shape;
}

// What other libraries call it.
const synonyms: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  units: 'hiddenSize',
  batchFirst: 'timeMajor',
  betas: 'beta1',
  eps: 'epsilon',
  numEmbeddings: 'vocabularySize',
  embeddingDim: 'embeddingSize',
  inFeatures: 'inputSize',
  outFeatures: 'outputSize',
};

function meant(key: string, known: readonly string[]): string {
  const camel = key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  for (const candidate of [camel, synonyms[camel]]) {
    if (candidate !== undefined && known.includes(candidate)) return ` (did you mean ${quote(candidate)}?)`;
  }
  return hint(key, known);
}

/** A plain object that has no other keys than `known`; a misspelt or foreign key is answered with the one that was meant. */
export function checkOptions(value: unknown, name: string, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw wrongKind(name, 'an object', value);
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw argumentTypeError(`${name}: unknown option ${quote(key)}${meant(key, known)}; known: ${known.join(', ')}`);
  }
}

/** The properties of an object that are not undefined. */
export function given<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** ` (did you mean "hiddenSize"?)`, or nothing when no candidate is near. */
export function hint(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === undefined ? '' : ` (did you mean ${quote(found)}?)`;
}

/** The candidate that is at most a third of its letters away from `word`, ignoring case; undefined when none is. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const limit = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

// Insertions, deletions, substitutions and swaps of two neighbours cost 1 each (optimal string alignment).
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = (last[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let cost = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, substitution);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[j - 2] as number) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length] as number;
}
