/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
 * (SC 2011). A block of four words is a function of a key of two words and a counter of four, so any element of a stream can
 * be drawn without drawing those before it.
 */
export type Block = [number, number, number, number];

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_INCREMENTS = [0x9e3779b9, 0xbb67ae85] as const; // golden ratio and sqrt(3) - 1
const ROUNDS = 10;

/** The high 32 bits of a 32 × 32 bit product; the partial products of 16 × 32 bits are exact in a double. */
function multiplyHigh(a: number, b: number): number {
  return Math.floor(((a >>> 16) * b + Math.floor(((a & 0xffff) * b) / 0x10000)) / 0x10000);
}

function multiplyLow(a: number, b: number): number {
  return Math.imul(a, b) >>> 0;
}

export function philox(key: readonly [number, number], counter: Readonly<Block>): Block {
  let [k0, k1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < ROUNDS; ++round) {
    [c0, c1, c2, c3] = [
      (multiplyHigh(MULTIPLIERS[1], c2) ^ c1 ^ k0) >>> 0,
      multiplyLow(MULTIPLIERS[1], c2),
      (multiplyHigh(MULTIPLIERS[0], c0) ^ c3 ^ k1) >>> 0,
      multiplyLow(MULTIPLIERS[0], c0),
    ];
    k0 = (k0 + KEY_INCREMENTS[0]) >>> 0;
    k1 = (k1 + KEY_INCREMENTS[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A stream of words: element i is word i % 4 of the block with counter offset + i / 4. 64-bit numbers, low word first. */
export interface Stream {
  seed: number | bigint;
  offset: number | bigint;
}

function words(value: number | bigint): [number, number] {
  const bits = BigInt.asUintN(64, BigInt(value));
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

/** The first `count` words of a stream. */
export function streamWords(stream: Stream, count: number): number[] {
  const key = words(stream.seed);
  const result: number[] = [];
  for (let block = 0; result.length < count; ++block) {
    result.push(...philox(key, [...words(BigInt(stream.offset) + BigInt(block)), 0, 0]));
  }
  return result.slice(0, count);
}

/** Uniform in [low, high): 24 random bits, as many as a float32 holds. */
export function uniform(stream: Stream, count: number, low = 0, high = 1): number[] {
  return streamWords(stream, count).map((word) => low + (high - low) * (word >>> 8) * 2 ** -24);
}

/**
 * Normal numbers by Box and Muller: with u in (0, 1] from the first word of a pair and v in [0, 1) from the second,
 * sqrt(-2 log u) cos(2πv) and sqrt(-2 log u) sin(2πv).
 */
export function normal(stream: Stream, count: number, mean = 0, deviation = 1): number[] {
  const drawn = streamWords(stream, 4 * Math.ceil(count / 4));
  const result: number[] = [];
  for (let i = 0; i < drawn.length; i += 2) {
    const u = ((drawn[i] as number) + 1) * 2 ** -32;
    const v = (drawn[i + 1] as number) * 2 ** -32;
    const radius = Math.sqrt(-2 * Math.log(u));
    result.push(
      mean + deviation * radius * Math.cos(2 * Math.PI * v),
      mean + deviation * radius * Math.sin(2 * Math.PI * v),
    );
  }
  return result.slice(0, count);
}

/** What dropout multiplies each element by: 0, or 1 / (1 - probability) where its word is at least probability · 2³². */
export function dropoutFactors(stream: Stream, probability: number, count: number): number[] {
  return streamWords(stream, count).map((word) => (word >= probability * 2 ** 32 ? 1 / (1 - probability) : 0));
}
