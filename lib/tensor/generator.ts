import { checkInteger, checkSeed } from '../arguments.js';

/** Where a generator stands. Two generators with equal states give equal numbers. */
export interface GeneratorState {
  seed: number;
  /** Blocks of four 32-bit words drawn so far. */
  offset: number;
}

/**
 * A source of random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), counted, so that the
 * same seed gives the same numbers on every backend and a state of two numbers is all there is to save.
 */
export class Generator {
  #seed: number;
  #offset = 0;

  /** @param seed an integer from 0 to 2^53 - 1. @throws TypeError, RangeError */
  constructor(seed: number) {
    this.#seed = checkSeed(seed);
  }

  /** Starts again from `seed`. */
  setSeed(seed: number): void {
    this.#seed = checkSeed(seed);
    this.#offset = 0;
  }

  /** The state to continue from later. */
  state(): GeneratorState {
    return { seed: this.#seed, offset: this.#offset };
  }

  /** Continues from a saved state. */
  restore(state: GeneratorState): void {
    this.#seed = checkSeed(state.seed, 'state.seed');
    this.#offset = checkInteger(state.offset, 'state.offset', { min: 0 });
  }

  /** @internal Takes the words for `count` numbers: where they start. */
  take(count: number): GeneratorState {
    const start = this.state();
    this.#offset += Math.ceil(count / 4);
    return start;
  }
}

/** The generator that is used where none is given. */
export const defaultGenerator = new Generator(0);

/** Seeds the default generator, which draws initial weights, dropout masks and `randn` where no other is given. */
export function setSeed(seed: number): void {
  defaultGenerator.setSeed(seed);
}
