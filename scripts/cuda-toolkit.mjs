// Installs NVIDIA's compiler, headers and libraries from PyPI wheels into .cache/cuda-toolkit, for machines without a CUDA toolkit:
//   npm run cuda:toolkit
// CMakeLists.txt looks there. Needs Python 3 with pip and 1.3 GB; nothing outside the folder changes, and no GPU or driver is needed.
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const wheels = [
  'nvidia-cuda-nvcc==13.0.88',
  'nvidia-cuda-crt==13.0.88',
  'nvidia-nvvm==13.0.88',
  'nvidia-cuda-runtime==13.0.96',
  'nvidia-cuda-cccl==13.0.85',
  'nvidia-cublas==13.0.2.14',
  'nvidia-cudnn-cu13==9.14.0.64',
];
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache', 'cuda-toolkit');

function fail(message) {
  console.error(`cudnn-gru: ${message}`);
  process.exit(1);
}

if (process.platform !== 'linux') fail('the CUDA toolkit from wheels is for Linux');
if (existsSync(folder)) {
  console.log(`cudnn-gru: the CUDA toolkit is in ${folder}; remove that folder to install it again`);
  process.exit(0);
}
const python = ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'pip', '--version']).status === 0);
if (!python) fail('installing the CUDA toolkit needs Python 3 with pip');

// Under another name until it is whole.
const unfinished = `${folder}.${process.pid}`;
const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore'];
const { status } = spawnSync(
  python,
  [...pip, '--no-deps', '--only-binary', ':all:', '--target', unfinished, ...wheels],
  {
    stdio: 'inherit',
  },
);
if (status !== 0) {
  rmSync(unfinished, { recursive: true, force: true });
  fail('pip could not install the CUDA toolkit');
}
// What a toolkit of NVIDIA's installer has and the wheels lack; CMake's FindCUDAToolkit looks for both.
symlinkSync('lib', join(unfinished, 'nvidia/cu13/lib64'));
symlinkSync('libcudart.so.13', join(unfinished, 'nvidia/cu13/lib/libcudart.so'));
renameSync(unfinished, folder);
console.log(`cudnn-gru: installed the CUDA toolkit in ${folder}; the next native build uses it`);
