// A model is traced several times with inputs of other sizes. A number that came out differently each time depends on the sizes, and how is
// found here: as a multiple of some of the sizes, plus a constant.

/** A size: `factor` times the product of the named sizes, plus `offset`. A constant has no names. */
export interface Size {
  readonly names: readonly string[];
  readonly factor: number;
  readonly offset: number;
}

/** The sizes by name in each of the traces. */
export type Assignments = readonly Readonly<Record<string, number>>[];

// Four traces: two determine a multiple and a constant, the others confirm them.
export const traces = 4;

const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53];
/** More would make the traces large. */
export const mostNames = primes.length / traces;

/** A size for each name and trace, all different. */
export function assign(names: readonly string[]): Assignments {
  return Array.from({ length: traces }, (_, trace) =>
    Object.fromEntries(names.map((name, index) => [name, primes[trace * names.length + index] as number])),
  );
}

export function constantSize(value: number): Size {
  return { names: [], factor: 0, offset: value };
}

export function isConstant(size: Size): boolean {
  return size.names.length === 0;
}

export function sameSize(a: Size, b: Size): boolean {
  return a.factor === b.factor && a.offset === b.offset && String(a.names) === String(b.names);
}

/** How a number depends on the sizes, from its values in the traces; undefined when in no way that is known here. */
export function solveSize(values: readonly number[], assignments: Assignments): Size | undefined {
  const [first = 0, second = 0] = values;
  if (values.every((value) => value === first)) return constantSize(first);
  for (const names of subsets(Object.keys(assignments[0] ?? {}))) {
    const products = assignments.map((sizes) => names.reduce((product, name) => product * (sizes[name] ?? 1), 1));
    const [p = 0, q = 0] = products;
    const factor = (second - first) / (q - p);
    const offset = first - factor * p;
    if (!Number.isInteger(factor) || !Number.isInteger(offset)) continue;
    if (values.every((value, trace) => value === factor * (products[trace] as number) + offset)) {
      return { names, factor, offset };
    }
  }
  return undefined;
}

/** The subsets that are not empty, small ones first. */
function subsets(names: readonly string[]): string[][] {
  let all: string[][] = [[]];
  for (const name of names) all = [...all, ...all.map((subset) => [...subset, name])];
  return all.slice(1).sort((a, b) => a.length - b.length);
}
