import { quote } from '../../arguments.js';

const [quoteMark, plus, minus, point, zero] = [34, 43, 45, 46, 48];
const powersOfTen = Array.from({ length: 23 }, (_, i) => 10 ** i); // those that a float64 holds exactly
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A line of CSV: its cells' numbers, one after the other. */
export class CellReader {
  /** To be rounded to float32; NaN for an empty cell. */
  readonly values: Float64Array;
  readonly #delimiter: number;

  constructor(columns: number, delimiter: string) {
    this.values = new Float64Array(columns);
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /**
   * Fills `values`.
   *
   * @param wanted the columns whose cells are numbers; the others are passed over
   * @returns what is wrong with the line, if anything is
   */
  read(bytes: Buffer, start: number, end: number, wanted: readonly boolean[]): string | undefined {
    let column = 0;
    let at = start;
    for (; at <= end; column++) {
      const cellEnd = this.#endOf(bytes, at, end);
      if (wanted[column]) {
        const value = numberIn(bytes, at, cellEnd);
        if (value === undefined)
          return `cell ${column + 1}: expected a number, got ${quote(bytes.toString('utf8', at, cellEnd))}`;
        this.values[column] = value;
      }
      at = cellEnd + 1;
    }
    return column === wanted.length ? undefined : `${column} cells, but the header has ${wanted.length}`;
  }

  #endOf(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (bytes[at] === quoteMark) {
      // A quote mark in a quoted cell is doubled.
      for (at++; at < end; at++) {
        if (bytes[at] !== quoteMark) continue;
        if (bytes[at + 1] !== quoteMark) break;
        at++;
      }
    }
    while (at < end && bytes[at] !== this.#delimiter) at++;
    return Math.min(at, end);
  }
}

/** The names in a header line. */
export function headerNames(header: string, delimiter: string): string[] {
  return header.split(delimiter).map((name) => {
    const text = name.trim();
    return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
  });
}

// NaN for an empty cell, undefined for one that is no finite number. Right as a float32, and as a float64 up to 15 digits.
function numberIn(bytes: Buffer, from: number, to: number): number | undefined {
  let [start, end] = [from, to];
  while (start < end && isPadding(bytes[start] as number)) start++;
  while (end > start && isPadding(bytes[end - 1] as number)) end--;
  if (start === end) return Number.NaN;
  const sign = bytes[start];
  let at = sign === minus || sign === plus ? start + 1 : start;
  let digits = 0;
  let decimals = 0;
  let isDecimal = false;
  let whole = 0;
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - zero;
    if (digit >= 0 && digit <= 9) {
      whole = 10 * whole + digit;
      digits++;
      if (isDecimal) decimals++;
    } else if (bytes[at] === point && !isDecimal) isDecimal = true;
    else break;
  }
  if (at === end && digits > 0 && digits <= 19 && decimals < powersOfTen.length) {
    const size = whole / (powersOfTen[decimals] as number);
    const value = sign === minus ? -size : size;
    // Two numbers that are exact: their quotient is rounded once, as it must be (Clinger, 1990).
    if (digits <= 15) return value;
    // Of more digits the last bits are wrong. They do not matter unless the float32 changes within the error, of less than 10 × 2^-53.
    if (Math.fround(value * (1 - 2e-15)) === Math.fround(value * (1 + 2e-15))) return value;
  }
  const text = bytes.toString('latin1', start, end);
  const value = numberPattern.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function isPadding(byte: number): boolean {
  return byte <= 32 || byte === quoteMark;
}
