// Sessions of a shop: each visitor has a taste, and each taste its own Markov chain over the items. What is next can be known no better than by
// the mixture of the chains, weighted by how well each explains the session so far.

export interface Shop {
  readonly items: number;
  /** The probability of each item to be the first: [items]. */
  readonly popularity: Float64Array;
  /** For each taste, the probabilities of the item after each: [items, items]. */
  readonly chains: readonly Float64Array[];
}

/** Tastes share the popular items and differ in what follows what: from each item, some few lead to most of what comes next. */
export function makeShop(items: number, tastes: number, random: () => number): Shop {
  const popularity = scaled(Float64Array.from({ length: items }, (_, i) => 1 / (i + 5)));
  const chains = Array.from({ length: tastes }, () => {
    const chain = new Float64Array(items * items);
    for (let item = 0; item < items; item++) {
      const row = chain.subarray(item * items, (item + 1) * items);
      row.set(popularity.map((share) => 0.3 * share));
      let left = 0.7;
      for (let n = 0; n < 4; n++) {
        const share = n < 3 ? left * 0.5 : left;
        const next = Math.floor(random() * items);
        row[next] = (row[next] as number) + share;
        left -= share;
      }
    }
    return chain;
  });
  return { items, popularity, chains };
}

/** Sessions of `length` items: [sessions, length]. */
export function simulateSessions(
  { items, popularity, chains }: Shop,
  { sessions, length, random }: { sessions: number; length: number; random: () => number },
): Int32Array {
  const out = new Int32Array(sessions * length);
  for (let session = 0; session < sessions; session++) {
    const chain = chains[Math.floor(random() * chains.length)] as Float64Array;
    let item = pick(popularity, random());
    for (let t = 0; t < length; t++) {
      out[session * length + t] = item;
      item = pick(chain.subarray(item * items, (item + 1) * items), random());
    }
  }
  return out;
}

/** The probabilities of the item that follows each, by the shop's own rules: calls `visit` for every step but the last. */
export function bestPredictions(
  { items, chains }: Shop,
  session: Int32Array,
  visit: (step: number, probabilities: Float64Array) => void,
): void {
  let weights = scaled(new Float64Array(chains.length).fill(1));
  for (let t = 0; t + 1 < session.length; t++) {
    const item = session[t] as number;
    const probabilities = new Float64Array(items);
    for (const [k, chain] of chains.entries()) {
      for (let next = 0; next < items; next++) {
        probabilities[next] =
          (probabilities[next] as number) + (weights[k] as number) * (chain[item * items + next] as number);
      }
    }
    visit(t, probabilities);
    weights = scaled(
      weights.map(
        (weight, k) => weight * ((chains[k] as Float64Array)[item * items + (session[t + 1] as number)] as number),
      ),
    );
  }
}

function pick(shares: Float64Array, at: number): number {
  let left = at;
  for (let i = 0; i < shares.length; i++) {
    left -= shares[i] as number;
    if (left < 0) return i;
  }
  return shares.length - 1;
}

function scaled(weights: Float64Array): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
