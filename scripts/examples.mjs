// npm run example -- NAME [options]: one example. npm run examples -- [options]: all of them, one after the other; `--short` is what CI runs.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../examples', import.meta.url));
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'main.ts')));

function run(name, options) {
  const begin = Date.now();
  const { status } = spawnSync(process.execPath, [join(folder, 'dist', name, 'main.js'), ...options], {
    stdio: 'inherit',
  });
  return { status: status ?? 1, seconds: (Date.now() - begin) / 1000 };
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--all') {
  let failed = 0;
  const lines = [];
  for (const name of names) {
    console.log(`\n=== ${name}`);
    const { status, seconds } = run(name, rest);
    if (status !== 0) failed++;
    lines.push(`${status === 0 ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(7)} s  ${name}`);
  }
  console.log(`\n${lines.join('\n')}`);
  process.exit(failed === 0 ? 0 : 1);
}
if (!names.includes(first)) {
  console.error(
    `usage: npm run example -- NAME [--short] [--seed n] [--threads n], with NAME one of: ${names.join(', ')}`,
  );
  process.exit(2);
}
process.exit(run(first, rest).status);
