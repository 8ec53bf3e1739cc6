import { exitCodes } from '../command.js';
import type { Options } from '../options.js';
import { columns, printJson, printNote, printText } from '../output.js';

/** What a classifier said of some examples. */
export interface Answers {
  /** The model's file and that of the data. */
  readonly model: string;
  readonly data: string;
  /** What the examples are: 'entity', 'text'. */
  readonly kind: string;
  readonly examples: readonly string[];
  readonly classes: readonly string[];
  /** [examples, classes]. */
  readonly probabilities: Float32Array;
}

// Longer texts are cut on the screen.
const cellWidth = 60;

/** Prints the likeliest class of each example and the probability of every class, or writes them to the file of `--out`. */
export async function printAnswers(answers: Answers, options: Options): Promise<number> {
  const out = options.text('out');
  const found = columnsOf(answers);
  if (out !== undefined) {
    const { writeCsv } = await import('../../data/csv.js');
    await writeCsv(out, found);
    printNote(options, `answers: ${out}`);
  }
  if (options.flag('json')) printJson({ model: answers.model, data: answers.data, ...Object.fromEntries(found) });
  else if (out === undefined) {
    const rows = answers.examples.map((_, row) => Array.from(found.values(), (values) => cell(values[row])));
    printText(columns([[...found.keys()], ...rows]));
  }
  return exitCodes.success;
}

function columnsOf({ kind, examples, classes, probabilities }: Answers): Map<string, string[] | number[]> {
  const of = (example: number, c: number) => probabilities[example * classes.length + c] as number;
  const likeliest = examples.map((_, i) => {
    const best = classes.reduce((top, _name, c) => (of(i, c) > of(i, top) ? c : top), 0);
    return classes[best] as string;
  });
  const shares = classes.map((name, c): [string, number[]] => [`p(${name})`, examples.map((_, i) => of(i, c))]);
  return new Map<string, string[] | number[]>([[kind, [...examples]], ['class', likeliest], ...shares]);
}

function cell(value: string | number | undefined): string {
  if (typeof value === 'number') return value.toFixed(4);
  const text = String(value).replace(/\s+/g, ' ');
  return text.length > cellWidth ? `${text.slice(0, cellWidth - 1)}…` : text;
}
