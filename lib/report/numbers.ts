/** Digits behind the point that show the largest of `values` with three figures: 2.13, 21.3, 0.213. */
export function decimalsFor(values: readonly number[]): number {
  const largest = values.filter(Number.isFinite).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return 2;
  return Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(largest))));
}

/** A number for a column of numbers, with a true minus; a dash where there is none. */
export function fixed(value: number | null | undefined, decimals: number): string {
  return Number.isFinite(value) ? (value as number).toFixed(decimals).replace('-', '−') : '–';
}

/** A number alone, with `figures` significant figures at most. */
export function short(value: number | null | undefined, figures = 4): string {
  return Number.isFinite(value) ? String(Number((value as number).toPrecision(figures))).replaceAll('-', '−') : '–';
}

/** NaN, which charts leave out, for everything that is no finite number. */
export function finite(value: number | null | undefined): number {
  return Number.isFinite(value) ? (value as number) : Number.NaN;
}

/** The least and the largest finite value; null when there is none. */
export function extent(values: Iterable<number | null | undefined>): [number, number] | null {
  let least = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    const number = finite(value);
    if (number < least) least = number;
    if (number > largest) largest = number;
  }
  return least <= largest ? [least, largest] : null;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Whole numbers through [first, last] at equal distances, at most about `count`: the ticks of an axis that counts.
 */
export function wholeTicks(first: number, last: number, count: number): number[] {
  const distances = [1, 2, 5].flatMap((digit) => [0, 1, 2, 3, 4, 5, 6].map((power) => digit * 10 ** power));
  const distance = Math.min(...distances.filter((one) => (last - first) / one < count));
  const ticks = [];
  for (let tick = Math.ceil(first / distance) * distance; tick <= last; tick += distance) ticks.push(tick);
  return ticks;
}

/** At most `limit` of the numbers from 0 to below `count`, the first and the last among them, at about equal distances. */
export function spread(count: number, limit: number): number[] {
  const taken = Math.min(count, limit);
  return Array.from({ length: taken }, (_, i) => (taken === 1 ? 0 : Math.round((i * (count - 1)) / (taken - 1))));
}
