import { checkInteger, checkSeed } from '../arguments.js';

// Philox4x32-10 on the host: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as
// 1, 2, 3", SC 2011. The device's random operations use the same generator with counter words 2 and 3 at zero, so the
// streams here (number 1 and up) never meet theirs, whatever the seed.

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;
const TWO_32 = 0x1_0000_0000;

/** Four 32-bit words. */
export type Words = [number, number, number, number];

// The high 32 bits of the 64-bit product of two unsigned 32-bit integers, by halves of 16 bits.
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** The block function: the four random words of one counter (four words) under one key (two words). */
export function philox(counter: Readonly<Words>, key0: number, key1: number): Words {
  let [c0, c1, c2, c3] = counter;
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A sequence of random numbers that depends on nothing but `seed` and the number of the `stream` (1 to 2^32 - 1). */
export class RandomStream {
  readonly #key0: number;
  readonly #key1: number;
  readonly #stream: number;
  #block = 0;
  #words: Words = [0, 0, 0, 0];
  #used = 4;

  constructor(seed: number, stream: number) {
    checkSeed(seed);
    this.#stream = checkInteger(stream, 'stream', { min: 1, max: TWO_32 - 1 });
    this.#key0 = seed % TWO_32;
    this.#key1 = Math.floor(seed / TWO_32);
  }

  /** The next integer of 0 to 2^32 - 1. */
  word(): number {
    if (this.#used === 4) {
      const counter: Words = [this.#block % TWO_32, Math.floor(this.#block / TWO_32), this.#stream, 0];
      this.#words = philox(counter, this.#key0, this.#key1);
      this.#block += 1;
      this.#used = 0;
    }
    return this.#words[this.#used++] as number;
  }

  /** The next integer of 0 to `limit - 1` (`limit` at most 2^32), each equally likely. */
  below(limit: number): number {
    // Words at or above the last multiple of `limit` would favour small remainders: draw again.
    const fair = TWO_32 - (TWO_32 % limit);
    let word = this.word();
    while (word >= fair) word = this.word();
    return word % limit;
  }
}

/** Puts the items in random order, in place (Fisher-Yates). */
export function shuffle(items: Int32Array, random: RandomStream): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const item = items[i] as number;
    items[i] = items[j] as number;
    items[j] = item;
  }
}

/** 0, 1, …, length - 1. */
export function range(length: number): Int32Array {
  const indices = new Int32Array(length);
  for (let i = 0; i < length; i++) indices[i] = i;
  return indices;
}
