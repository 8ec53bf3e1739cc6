// A Markovian arrival process (M. F. Neuts, 1979): a hidden state that events and time change, and that decides which events come how often.
// What can be known of the future from the events so far follows from it exactly, so that it is known how good a prediction can be.
import type { data } from 'cudnn-gru';

export interface Mechanism {
  /** Names of the hidden states. */
  readonly states: readonly string[];
  /** The probability of each at the first day: [states]. */
  readonly start: readonly number[];
  /** Changes that nobody sees: from, to, times a day. */
  readonly changes: readonly (readonly [from: string, to: string, perDay: number])[];
  /** Events: the state they come in, their kind, times a day, and the state that they leave behind (default: the same). */
  readonly events: readonly (readonly [state: string, kind: string, perDay: number, to?: string])[];
}

type Matrix = readonly Float64Array[];

/** Rates of a mechanism as matrices [states, states]: `quiet` moves while nothing happens, `kinds` when an event of that kind does. */
export function ratesOf({ states, changes, events }: Mechanism): { quiet: Matrix; kinds: ReadonlyMap<string, Matrix> } {
  const empty = () => states.map(() => new Float64Array(states.length));
  const quiet = empty();
  const kinds = new Map<string, Matrix>();
  const add = (matrix: Matrix, from: string, to: string, rate: number) => {
    const row = matrix[states.indexOf(from)] as Float64Array;
    row[states.indexOf(to)] = (row[states.indexOf(to)] as number) + rate;
  };
  for (const [from, to, rate] of changes) {
    add(quiet, from, to, rate);
    add(quiet, from, from, -rate);
  }
  for (const [state, kind, rate, to] of events) {
    if (!kinds.has(kind)) kinds.set(kind, empty());
    add(kinds.get(kind) as Matrix, state, to ?? state, rate);
    add(quiet, state, state, -rate);
  }
  return { quiet, kinds };
}

/** The events of many entities within some days: columns `entity`, `day`, `kind`, and `mark`, 1 for events of that kind. */
export function simulate(
  mechanism: Mechanism,
  options: { entities: number; days: number; mark?: string; random: () => number },
): data.Table {
  const { entities, days, mark, random } = options;
  const { states, start, changes, events } = mechanism;
  const rows: { entity: string; day: number; kind: string }[] = [];
  const pick = (weights: readonly number[]) => {
    let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return i;
    }
    return weights.length - 1;
  };
  const moves = states.map((state) => [
    ...changes.filter(([from]) => from === state).map(([, to, rate]) => ({ to, rate, kind: undefined })),
    ...events.filter(([from]) => from === state).map(([, kind, rate, to]) => ({ to: to ?? state, rate, kind })),
  ]);
  for (let entity = 0; entity < entities; entity++) {
    let state = pick(start);
    for (let day = 0; ; ) {
      const possible = moves[state] as (typeof moves)[number];
      const rates = possible.map(({ rate }) => rate);
      const total = rates.reduce((sum, rate) => sum + rate, 0);
      if (total === 0) break;
      day -= Math.log(1 - random()) / total;
      if (day > days) break;
      const { to, kind } = possible[pick(rates)] as (typeof possible)[number];
      if (kind !== undefined) rows.push({ entity: `e${entity}`, day, kind });
      state = states.indexOf(to);
    }
  }
  return {
    source: 'simulated events',
    rows: rows.length,
    columns: new Map<string, Float64Array | string[]>([
      ['entity', rows.map(({ entity }) => entity)],
      ['day', Float64Array.from(rows, ({ day }) => day)],
      ['kind', rows.map(({ kind }) => kind)],
      ['mark', Float64Array.from(rows, ({ kind }) => Number(kind === mark))],
    ]),
  };
}

/**
 * The probability at each cut, from the entity's events until then: that no event comes within the horizon, or with `mark` that one of
 * that kind comes. It is a filter: p ← p exp(quiet · t) while nothing happens, p ← p · kinds[k] at an event, scaled to sum 1. No prediction from
 * these events can rank better.
 */
export function bestProbabilities(
  mechanism: Mechanism,
  log: data.EventLog,
  cuts: data.EventCuts,
  mark?: string,
): Float64Array {
  const { quiet, kinds } = ratesOf(mechanism);
  const names = log.columns.get('kind') as readonly string[];
  const others = [...kinds].filter(([kind]) => mark !== undefined && kind !== mark).map(([, matrix]) => matrix);
  // What goes on during the horizon as long as the outcome has not come.
  const open = others.reduce(sum, quiet);
  const found = new Float64Array(cuts.times.length);
  const byEntity = new Map<number, number[]>();
  cuts.entities.forEach((entity, cut) => {
    byEntity.set(entity, [...(byEntity.get(entity) ?? []), cut]);
  });
  for (const [entity, own] of byEntity) {
    own.sort((a, b) => (cuts.times[a] as number) - (cuts.times[b] as number));
    let [event, now] = [log.starts[entity] as number, 0];
    let state: Float64Array = Float64Array.from(mechanism.start);
    for (const cut of own) {
      const time = cuts.times[cut] as number;
      for (; event < (log.starts[entity + 1] as number) && (log.times[event] as number) <= time; event++) {
        const at = log.times[event] as number;
        const before = evolve(state, quiet, at - now);
        state = scaled(times(before, kinds.get(names[event] as string) as Matrix));
        now = at;
      }
      state = scaled(evolve(state, quiet, time - now));
      now = time;
      const unchanged = evolve(state, open, cuts.horizon).reduce((total, value) => total + value, 0);
      found[cut] = mark === undefined ? unchanged : 1 - unchanged;
    }
  }
  return found;
}

function times(row: Float64Array, matrix: Matrix): Float64Array {
  const out = new Float64Array(row.length);
  for (const [from, value] of row.entries()) {
    for (const [to, rate] of (matrix[from] as Float64Array).entries()) out[to] = (out[to] as number) + value * rate;
  }
  return out;
}

function sum(a: Matrix, b: Matrix): Matrix {
  return a.map((row, i) => row.map((value, j) => value + ((b[i] as Float64Array)[j] as number)));
}

function scaled(row: Float64Array): Float64Array {
  const total = row.reduce((all, value) => all + value, 0);
  return row.map((value) => value / total);
}

// row · e^(rates · time), by uniformization: a number of steps that is Poisson distributed, each of the same chain. Rates beside the diagonal are not negative.
function evolve(row: Float64Array, rates: Matrix, time: number): Float64Array {
  const fastest = Math.max(...rates.map((rate, i) => -(rate[i] as number)));
  if (fastest === 0) return row;
  const expected = fastest * time;
  let weight = Math.exp(-expected);
  let power = row;
  const out = row.map((value) => value * weight);
  for (let n = 1, left = 1 - weight; left > 1e-13 && n < expected + 1000; n++) {
    const step = times(power, rates);
    power = power.map((value, i) => value + (step[i] as number) / fastest);
    weight *= expected / n;
    left -= weight;
    for (const [i, value] of power.entries()) out[i] = (out[i] as number) + weight * value;
  }
  return out;
}
