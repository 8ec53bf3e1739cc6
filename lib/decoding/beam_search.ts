import { checkInteger, checkNumber, checkOptions, checkPositiveInteger } from '../arguments.js';
import { nothingLeft, rowOf } from './generate.js';
import { checkDecoding, type DecodingOptions, decodingOptions, type Hypothesis, type Settings } from './options.js';
import { largest, rank } from './scores.js';
import { advance, disposeState, gatherRows, type TokenModel, type TokenState } from './token_model.js';

export interface BeamSearchOptions extends DecodingOptions {
  /** Hypotheses that are followed for each row; 1 is greedy search. Default: 4. */
  width?: number;
  /** Hypotheses to give for each row, the best first. Default: `width`. */
  nBest?: number;
  /** Exponent α of the length in the score: above 0 long sequences rank higher. Default: 0. */
  lengthPenalty?: number;
}

interface Beam {
  tokens: number[];
  logProbability: number;
  /** With the repetition penalty. */
  ranked: number;
  /** Its row in the batch. */
  row: number;
}

interface Candidate extends Beam {
  token: number;
}

/**
 * Beam search for the most probable sequences of each row. At each step the `width` best continuations of all a row's hypotheses are
 * kept; one that takes the end token is finished, keeps its place and is extended no more. All hypotheses of all rows go through the model
 * together: one forward pass of rows × width at each step. They are ranked by
 *
 *     score = Σ log p / length^α,  length counting the end token, log p with the repetition penalty
 *
 * A width that holds every sequence there is finds the best one.
 *
 * The model gets row r of `start` in its rows r · width to (r + 1) · width - 1.
 *
 * @returns for each row of `start` up to `nBest` different hypotheses
 * @throws TypeError, RangeError; CudnnGruError `ERR_NON_FINITE`, `ERR_DATA` when nothing may come next
 */
export async function beamSearch(model: TokenModel, options: BeamSearchOptions): Promise<Hypothesis[][]> {
  checkOptions(options, 'options', [...decodingOptions, 'width', 'nBest', 'lengthPenalty']);
  const settings = checkDecoding(model, options);
  const width = checkPositiveInteger(options.width ?? 4, 'width');
  const nBest = checkInteger(options.nBest ?? width, 'nBest', { min: 1, max: width });
  const lengthPenalty = checkNumber(options.lengthPenalty ?? 0, 'lengthPenalty', { min: 0 });
  const { start, maxLength, signal } = settings;
  const searches = Array.from(start, (_, row) => new RowSearch(settings, row, width, lengthPenalty));
  const spread = Int32Array.from({ length: start.length * width }, (_, i) => Math.floor(i / width));
  const tokens = spread.map((row) => start[row] as number);
  let state: TokenState = gatherRows(settings.state, spread);
  try {
    for (let length = 0; length < maxLength && searches.some(({ open }) => open); length++) {
      signal?.throwIfAborted();
      const next = await advance(model, tokens, state);
      disposeState(state);
      state = next.state;
      const parents = Int32Array.from(tokens.keys());
      for (const search of searches) {
        for (const { token, row, parent } of search.extend(next.logProbabilities, model.vocabularySize)) {
          tokens[row] = token;
          parents[row] = parent;
        }
      }
      const reordered = gatherRows(state, parents);
      disposeState(state);
      state = reordered;
    }
  } finally {
    disposeState(state);
  }
  return searches.map((search) => search.best(nBest));
}

/** The search of one row of `start`. */
class RowSearch {
  readonly #finished: Hypothesis[] = [];
  #beams: Beam[];

  constructor(
    private readonly settings: Settings,
    private readonly row: number,
    private readonly width: number,
    private readonly lengthPenalty: number,
  ) {
    this.#beams = [{ tokens: [], logProbability: 0, ranked: 0, row: row * width }];
  }

  get open(): boolean {
    return this.#beams.length > 0;
  }

  /** Goes a token further; what each row of the batch continues with, and from which row. */
  extend(logProbabilities: Float32Array, vocabularySize: number): { token: number; row: number; parent: number }[] {
    if (!this.open) return [];
    const places = this.width - this.#finished.length;
    const candidates = this.#beams.flatMap((beam): Candidate[] => {
      const own = rowOf(logProbabilities, beam.row, vocabularySize);
      const ranked = rank(own, this.settings, beam.tokens, this.row);
      return largest(ranked, places).map((token) => ({
        tokens: beam.tokens,
        token,
        logProbability: beam.logProbability + (own[token] as number),
        ranked: beam.ranked + (ranked[token] as number),
        row: beam.row,
      }));
    });
    if (candidates.length === 0 && this.#finished.length === 0) throw nothingLeft(this.row);
    candidates.sort((a, b) => b.ranked - a.ranked);
    const moves = [];
    this.#beams = [];
    for (const { tokens, token, logProbability, ranked, row: parent } of candidates.slice(0, places)) {
      if (token === this.settings.endToken) {
        this.#finished.push(this.#hypothesis({ tokens, logProbability, ranked }, true));
        continue;
      }
      const row = this.row * this.width + this.#beams.length;
      this.#beams.push({ tokens: [...tokens, token], logProbability, ranked, row });
      moves.push({ token, row, parent });
    }
    return moves;
  }

  best(count: number): Hypothesis[] {
    const all = [...this.#finished, ...this.#beams.map((beam) => this.#hypothesis(beam, false))];
    return all.sort((a, b) => b.score - a.score).slice(0, count);
  }

  #hypothesis({ tokens, logProbability, ranked }: Omit<Beam, 'row'>, finished: boolean): Hypothesis {
    const length = tokens.length + Number(finished);
    return { tokens, logProbability, score: ranked / length ** this.lengthPenalty, finished };
  }
}
