// Formats native/ with the clang-format that npm installs (one version for everybody); --check only reports.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packaged = join(root, 'node_modules/clang-format/bin', `${process.platform}_${process.arch}`, 'clang-format');
const program = process.env.CLANG_FORMAT ?? (existsSync(packaged) ? packaged : 'clang-format');

const files = readdirSync(join(root, 'native'), { recursive: true })
  .filter((name) => ['.h', '.cc', '.cu', '.cuh'].includes(extname(name)))
  .map((name) => join('native', name))
  .sort();
const mode = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
const { status, error } = spawnSync(program, [...mode, ...files], { cwd: root, stdio: 'inherit' });
if (error) console.error(`cannot run ${program}: ${error.message}. Install clang-format 15 or set CLANG_FORMAT.`);
process.exit(status ?? 1);
