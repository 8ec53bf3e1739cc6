/** A forecast by exponential smoothing, ready to go through a series. */
export interface HoltWinters {
  /** Forecasts of the `steps` rows from each of `firstRows` on (rising), knowing only the rows before: [forecasts, steps]. */
  forecast(values: ArrayLike<number>, firstRows: ArrayLike<number>, steps: number): Float64Array;
}

interface Parameters {
  readonly level: number;
  readonly trend: number;
  readonly season: number;
  readonly damping: number;
}

/**
 * Additive Holt-Winters exponential smoothing with a damped trend, in the error-correction form, ETS(A, Ad, A); with a season of 1 row,
 * ETS(A, Ad, N). With e[t] = y[t] - ŷ[t | t - 1]:
 *
 * l[t] = l + φ b + α e;  b[t] = φ b + α β e;  s[t] = s[t - m] + (1 - α) γ e;  ŷ[t + h | t] = l + (φ + … + φ^h) b + s[t + h - m ⌈h / m⌉]
 *
 * α, β, γ in (0, 1) and φ in (0.8, 1) have the least mean square of the errors of all `horizon` steps over the training rows, as a pattern
 * search finds it: fitted to single steps, as is usual, it would be worse further ahead. The states begin with what the first two seasons say (R. J. Hyndman, G. Athanasopoulos, "Forecasting: principles and practice", ch. 8).
 *
 * @param training the training rows, at least two seasons and two rows more; null for fewer
 */
export function fitHoltWinters(training: ArrayLike<number>, season: number, horizon = 1): HoltWinters | null {
  if (training.length < 2 * season + 2) return null;
  const cost = (parameters: Parameters) => new Smoothing(training, season, parameters).squaresOver(training, horizon);
  const parameters = patternSearch(cost);
  return {
    forecast(values, firstRows, steps) {
      const smoothing = new Smoothing(training, season, parameters);
      const out = new Float64Array(firstRows.length * steps);
      for (let i = 0, row = 0; i < firstRows.length; i++) {
        for (; row < (firstRows[i] as number); row++) smoothing.see(values[row] as number);
        for (let step = 1; step <= steps; step++) out[i * steps + step - 1] = smoothing.ahead(step);
      }
      return out;
    },
  };
}

class Smoothing {
  readonly #parameters: Parameters;
  readonly #season: Float64Array;
  #level: number;
  #trend: number;
  #row = 0;

  constructor(training: ArrayLike<number>, season: number, parameters: Parameters) {
    this.#parameters = parameters;
    const means = [0, 1].map((which) => {
      let sum = 0;
      for (let i = 0; i < season; i++) sum += training[which * season + i] as number;
      return sum / season;
    }) as [number, number];
    this.#level = means[0];
    this.#trend = (means[1] - means[0]) / season;
    const usual = (i: number) => ((training[i] as number) - means[0] + (training[season + i] as number) - means[1]) / 2;
    this.#season = season > 1 ? Float64Array.from({ length: season }, (_, i) => usual(i)) : new Float64Array(1);
  }

  /** The forecast `steps` rows behind the last that was seen. */
  ahead(steps: number): number {
    const { damping } = this.#parameters;
    const sum = (damping * (1 - damping ** steps)) / (1 - damping);
    return this.#level + sum * this.#trend + (this.#season[(this.#row + steps - 1) % this.#season.length] as number);
  }

  see(value: number): void {
    const { level, trend, season, damping } = this.#parameters;
    const error = value - this.ahead(1);
    this.#level += damping * this.#trend + level * error;
    this.#trend = damping * this.#trend + level * trend * error;
    if (this.#season.length > 1) {
      const at = this.#row % this.#season.length;
      this.#season[at] = (this.#season[at] as number) + (1 - level) * season * error;
    }
    this.#row += 1;
  }

  // From every row, or of a long horizon from some rows: about two forecasts a row.
  squaresOver(values: ArrayLike<number>, horizon: number): number {
    const stride = Math.ceil(horizon / 2);
    let sum = 0;
    for (let row = 0; row < values.length; row++) {
      for (let step = 1; step <= horizon && row % stride === 0 && row + step <= values.length; step++) {
        sum += ((values[row + step - 1] as number) - this.ahead(step)) ** 2;
      }
      this.see(values[row] as number);
    }
    return sum;
  }
}

// From logits to parameters, so that each stays within its bounds.
function parametersOf([level, trend, season, damping]: readonly number[]): Parameters {
  const share = (logit = 0) => 1 / (1 + Math.exp(-logit));
  return { level: share(level), trend: share(trend), season: share(season), damping: 0.8 + 0.199 * share(damping) };
}

// R. Hooke, T. A. Jeeves, 1961, along the axes only: few parameters, a smooth cost, and a start that is near.
function patternSearch(cost: (parameters: Parameters) => number): Parameters {
  const starts = [
    [0, -3, -3, 2],
    [-2, -3, -1, 0],
  ];
  const found = starts.map((start) => {
    let at = start;
    let least = cost(parametersOf(at));
    for (let distance = 2; distance > 0.05; ) {
      let moved = false;
      for (let axis = 0; axis < at.length; axis++) {
        for (const sign of [1, -1]) {
          const next = at.map((value, i) => (i === axis ? value + sign * distance : value));
          const value = cost(parametersOf(next));
          if (!(value < least) || Math.abs(next[axis] as number) > 8) continue;
          [at, least, moved] = [next, value, true];
        }
      }
      if (!moved) distance /= 2;
    }
    return { at, least };
  });
  const best = found.reduce((a, b) => (b.least < a.least ? b : a));
  return parametersOf(best.at);
}
