import type { Options } from './options.js';

/** One command of the command line. */
export interface Command {
  /** Its name and arguments, `predict <model>`. */
  readonly usage: string;
  readonly description: string;
  /** Flags and what they do: `['--epochs <n>', 'Passes over the data (default: 30)']`. */
  readonly options: readonly (readonly [flags: string, description: string])[];
  /** Whether options that are not listed are let through. Default: false. */
  readonly anyOptions?: boolean;
  /** Without the program's name. */
  readonly examples: readonly string[];
  /** Does the work; gives the exit code. Everything heavy is imported here, so that `--help` needs nothing. */
  run(args: readonly string[], options: Options): Promise<number>;
}

export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** What every command with results takes. */
export const resultOptions = [
  ['--json', 'Print the results as one JSON document'],
  ['--quiet', 'No progress and no notes on stderr'],
] as const;
