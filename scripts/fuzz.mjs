// npm run fuzz [-- runs [vitest arguments]]: the fuzz tests of every parser with many more inputs than the usual tests have. Nightly.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [runs = '100000', ...more] = process.argv.slice(2);
const seed = process.env.CUDNN_GRU_FUZZ_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
console.log(`CUDNN_GRU_FUZZ_SEED=${seed} npm run fuzz -- ${[runs, ...more].join(' ')}   # draws the same inputs again`);
const { status, error } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/formats', 'test/audio', '-t', 'damaged|arbitrary', ...more],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
    env: { ...process.env, CUDNN_GRU_FUZZ_RUNS: runs, CUDNN_GRU_FUZZ_SEED: seed },
  },
);
if (error) throw error;
process.exit(status ?? 1);
