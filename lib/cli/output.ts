import type { Options } from './options.js';

/** A result, on stdout. */
export function printText(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A result as one JSON document, on stdout. Typed arrays become arrays; numbers that JSON cannot hold become null. */
export function printJson(value: unknown): void {
  const plain = (_: string, item: unknown) =>
    ArrayBuffer.isView(item) ? Array.from(item as unknown as ArrayLike<number>) : item;
  printText(JSON.stringify(value, plain, 2));
}

/** Something to know beside the results, on stderr; nothing with `--quiet`. */
export function printNote(options: Options, text: string): void {
  if (!options.flag('quiet')) process.stderr.write(`${text}\n`);
}

/** Rows of cells as text in columns: the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  '),
    )
    .map((line) => line.trimEnd())
    .join('\n');
}
