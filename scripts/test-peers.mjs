// npm run test:peers [vitest arguments]: files exchanged with PyTorch, Keras and onnxruntime as they run here. Installs them with pip into
// .peers/ (gigabytes; once for each list of versions), or takes the Python named by CUDNN_GRU_PEERS_PYTHON as it is.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.peers');
const requirements = join(root, 'test/peers/requirements.txt');

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function installedPython() {
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const installed = join(folder, 'requirements.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return python;
  if (!existsSync(python)) {
    mkdirSync(folder, { recursive: true });
    run(process.env.PYTHON ?? 'python3', ['-m', 'venv', folder]);
  }
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  writeFileSync(installed, wanted);
  return python;
}

const python = process.env.CUDNN_GRU_PEERS_PYTHON ?? installedPython();
run('npx', ['vitest', 'run', '--config', 'vitest.peers.config.ts', ...process.argv.slice(2)], {
  CUDNN_GRU_PEERS_PYTHON: python,
});
