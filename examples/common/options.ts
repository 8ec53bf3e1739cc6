import { parseArgs } from 'node:util';
import { setThreads } from 'cudnn-gru';

/**
 * What every example takes: `--short` (a small part, to see that everything works), `--seed <n>` (default: 0), `--threads <n>`,
 * and where an example keeps a checkpoint `--resume`: go on from it.
 */
export function exampleOptions(): { readonly short: boolean; readonly seed: number; readonly resume: boolean } {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      seed: { type: 'string', default: '0' },
      threads: { type: 'string' },
      resume: { type: 'boolean', default: false },
    },
  });
  if (values.threads !== undefined) setThreads(Number(values.threads));
  return { short: values.short, seed: Number(values.seed), resume: values.resume };
}
