import type { DetectionPreprocessing } from './preprocessing.js';

/** @internal What is said of a row. */
export interface Judgement {
  readonly score: number;
  /** Whether what was expected goes on in the place of the row. */
  readonly held: boolean;
}

/** @internal Takes the errors of the rows of one series, in their order. */
export interface ErrorJudge {
  /** @param errors x - x̂, scaled: [features] of the row, or of all rows of its window, one after the other */
  judge(errors: Float32Array): Judgement;
}

// Half of a normal distribution lies within this many standard deviations.
const medianDeviation = 0.6745;
// Local spread is followed down to this share of the usual one.
const leastLocal = 0.25;

/**
 * @internal From errors to scores:
 *
 *     s[t]² = mean over the features, and the rows of a window, of (e / (σ_k l[t] w[t]))²
 *     score[t] = score[t-1] + (s[t] - score[t-1]) / (1 + smoothing),  score[-1] = 1
 *     l[t+1] = l[t] e^(±1 / adaptation), + where |e / σ_k| of row t is above 0.6745 l[t], for each feature; at least 1/4; l[0] = 1
 *
 * so that l follows the median, as slowly in an anomaly as elsewhere, and stays where s > gate; w is `warmUp` for the first rows, then 1; k counts
 * the rows right before t that are held. A row is held while s is above `gate`, but no more than `hold` of them until as many rows one after the
 * other were not above it: what has stayed is the new normal, and the model has to find into it.
 */
export class RowJudge implements ErrorJudge {
  readonly #scoring: Scoring;
  readonly #local: Float64Array; // l
  #rows = 0;
  #stale = 0; // held rows right before this one
  #spent = 0; // held rows since there was quiet
  #quiet = 0; // rows below the gate until now
  #score = 1;

  constructor(scoring: Scoring) {
    this.#scoring = scoring;
    this.#local = new Float64Array(scoring.errorScale[0]?.length ?? 0).fill(1);
  }

  judge(errors: Float32Array): Judgement {
    const { errorScale, warmUp, gate, hold, smoothing, adaptation } = this.#scoring;
    const scale = errorScale[this.#stale] as readonly number[];
    const warming = warmUp[this.#rows++];
    const spread = this.#local.map((local, f) => local * (scale[f] as number) * (warming?.[f] ?? 1));
    const ofFeature = (i: number) => (errors[i] as number) / (spread[i % scale.length] as number);
    let sum = 0;
    for (let i = 0; i < errors.length; i++) sum += ofFeature(i) ** 2;
    const size = Math.sqrt(sum / errors.length);
    const strange = size > gate;
    if (adaptation > 0 && !strange && warming === undefined) {
      const row = errors.length - scale.length;
      const larger = this.#local.map((_, f) => Number(Math.abs(ofFeature(row + f)) > medianDeviation));
      for (const [f, local] of this.#local.entries()) {
        this.#local[f] = Math.max(leastLocal, local * Math.exp((larger[f] === 1 ? 1 : -1) / adaptation));
      }
    }
    this.#score += (size - this.#score) / (1 + smoothing);
    return { score: this.#score, held: this.#hold(strange, hold) };
  }

  #hold(strange: boolean, most: number): boolean {
    this.#quiet = strange ? 0 : this.#quiet + 1;
    if (this.#quiet >= most) this.#spent = 0;
    const held = strange && this.#spent < most;
    this.#spent += Number(held);
    this.#stale = held ? this.#stale + 1 : 0;
    return held;
  }
}

type Scoring = Pick<DetectionPreprocessing, 'errorScale' | 'warmUp' | 'gate' | 'hold' | 'smoothing' | 'adaptation'>;
