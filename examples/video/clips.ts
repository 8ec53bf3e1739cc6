// Clips of a handwritten digit that moves through noise: what it is, how it moves, and where it is, frame by frame.
import type { data } from 'cudnn-gru';
import { type Digits, side as digitSide } from '../common/mnist.js';

/** Pixels of a frame's side. */
export const side = 32;
/** Frames that are seen, and how many frames ahead the place is asked for. */
export const frames = 12;
export const ahead = 4;
export const motions = ['standing', 'slow', 'fast', 'circling left', 'circling right'] as const;
/** A frame is laid out as 4 × 4 patches of 8 × 8 pixels. */
export const patches = 16;
export const patchPixels = 64;

// A digit's side in the clip: half of MNIST's.
export const small = digitSide / 2;
const room = side - small;

/** A clip and what is true of it. */
export interface VideoClip {
  /** Shape [frames, side, side]. */
  readonly pixels: Float32Array;
  readonly digit: number;
  readonly motion: number;
  /** The centre of the digit in each frame and `ahead` more, in pixels. */
  readonly centres: readonly Point[];
}

export type Point = readonly [x: number, y: number];

/** A stream of numbers from 0 to below 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Renders clip number `index` of those that belong to a seed. Every frame has noise, and in a third of them the digit is hidden. */
export function renderClip(digits: Digits, seed: number, index: number): VideoClip {
  const random = randomNumbers(seed * 0x1000000 + index);
  const pixels = new Float32Array(frames * side * side);
  const number = Math.floor(random() * digits.labels.length);
  const drawn = digits.pixels.subarray(number * digitSide ** 2, (number + 1) * digitSide ** 2);
  const motion = Math.floor(random() * motions.length);
  const path = drawPath(motion, random);
  for (let t = 0; t < frames; t++) {
    const frame = pixels.subarray(t * side * side, (t + 1) * side * side);
    const hidden = random() < 1 / 3;
    if (!hidden) drawDigit(frame, drawn, path[t] as Point);
    for (let i = 0; i < frame.length; i++) frame[i] = (frame[i] as number) + 0.6 * (random() - 0.5);
  }
  const centres = path.map(([x, y]): Point => [x + small / 2, y + small / 2]);
  return { pixels, digit: digits.labels[number] as number, motion, centres };
}

/** Clips as a data set: inputs [clips, frames, patches · pixels of a patch]; targets [clips, 4]: digit, motion, and the last centre in frame sides. */
export class VideoDataset implements data.Dataset {
  constructor(
    readonly digits: Digits,
    readonly length: number,
    readonly seed: number,
  ) {}

  get(indices: ArrayLike<number>): data.Batch {
    const inputs = new Float32Array(indices.length * frames * side * side);
    const targets = new Float32Array(indices.length * 4);
    for (let i = 0; i < indices.length; i++) {
      const { pixels, digit, motion, centres } = renderClip(this.digits, this.seed, indices[i] as number);
      inputs.set(inPatches(pixels), i * pixels.length);
      const [x, y] = centres.at(-1) as Point;
      targets.set([digit, motion, x / side, y / side], i * 4);
    }
    return {
      inputs: { data: inputs, shape: [indices.length, frames, side * side] },
      targets: { data: targets, shape: [indices.length, 4] },
    };
  }
}

// Where the pixels of a frame lie when it is laid out in patches.
const places = Int32Array.from({ length: side * side }, (_, at) => {
  const [patch, inside] = [Math.floor(at / patchPixels), at % patchPixels];
  const [row, column] = [8 * Math.floor(patch / 4) + Math.floor(inside / 8), 8 * (patch % 4) + (inside % 8)];
  return row * side + column;
});

function inPatches(pixels: Float32Array): Float32Array {
  const out = new Float32Array(pixels.length);
  for (let start = 0; start < out.length; start += side * side)
    for (let at = 0; at < side * side; at++) out[start + at] = pixels[start + (places[at] as number)] as number;
  return out;
}

// The corner of the digit in each frame, from 0 to `room`.
function drawPath(motion: number, random: () => number): Point[] {
  const angle = 2 * Math.PI * random();
  const [x, y] = [room * random(), room * random()];
  const at = (t: number): Point => {
    switch (motions[motion]) {
      case 'slow':
        return [folded(x + 0.9 * t * Math.cos(angle)), folded(y + 0.9 * t * Math.sin(angle))];
      case 'fast':
        return [folded(x + 2.5 * t * Math.cos(angle)), folded(y + 2.5 * t * Math.sin(angle))];
      case 'standing':
        return [x, y];
      default: {
        const turn = angle + (motions[motion] === 'circling left' ? -0.5 : 0.5) * t;
        const centre = (value: number) => room / 2 + (value - room / 2) * 0.2;
        return [centre(x) + 6.5 * Math.cos(turn), centre(y) + 6.5 * Math.sin(turn)];
      }
    }
  };
  return Array.from({ length: frames + ahead }, (_, t) => at(t));
}

/** The corner of a digit that walls throw back. */
export function folded(value: number): number {
  const cycle = ((value % (2 * room)) + 2 * room) % (2 * room);
  return cycle <= room ? cycle : 2 * room - cycle;
}

// Each pixel of the clip is the mean of 2 × 2 of the digit's; places between pixels are shared by their neighbours.
function drawDigit(frame: Float32Array, digit: Float32Array, [x, y]: Point): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, down] = [x - left, y - top];
  for (let row = 0; row < small; row++) {
    for (let column = 0; column < small; column++) {
      let value = 0;
      for (const i of [0, 1])
        for (const j of [0, 1]) value += digit[(2 * row + i) * digitSide + 2 * column + j] as number;
      for (const [i, down1] of [1 - down, down].entries()) {
        for (const [j, right1] of [1 - right, right].entries()) {
          const [r, c] = [top + row + i, left + column + j];
          if (r < side && c < side)
            frame[r * side + c] = (frame[r * side + c] as number) + (value / 4) * down1 * right1;
        }
      }
    }
  }
}
