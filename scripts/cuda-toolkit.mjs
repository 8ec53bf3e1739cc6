// Installs NVIDIA's compiler, headers and libraries from PyPI wheels into .cache/cuda-toolkit, for machines without a CUDA toolkit:
//   npm run cuda:toolkit
// CMakeLists.txt looks there. Needs Python 3 with pip and 1.3 GB; nothing outside the folder changes, and no GPU or driver is needed.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cache, fail, installWheels } from './wheels.mjs';

const wheels = [
  'nvidia-cuda-nvcc==13.0.88',
  'nvidia-cuda-crt==13.0.88',
  'nvidia-nvvm==13.0.88',
  'nvidia-cuda-runtime==13.0.96',
  'nvidia-cuda-cccl==13.0.85',
  'nvidia-cublas==13.0.2.14',
  'nvidia-cudnn-cu13==9.14.0.64',
];
const folder = join(cache, 'cuda-toolkit');

if (process.platform !== 'linux') fail('the CUDA toolkit from wheels is for Linux');
if (existsSync(folder)) {
  console.log(`cudnn-gru: the CUDA toolkit is in ${folder}; remove that folder to install it again`);
  process.exit(0);
}
installWheels('the CUDA toolkit', wheels, folder, {
  // What a toolkit of NVIDIA's installer has and the wheels lack; CMake's FindCUDAToolkit looks for them.
  finish(unfinished) {
    symlinkSync('lib', join(unfinished, 'nvidia/cu13/lib64'));
    symlinkSync('libcudart.so.13', join(unfinished, 'nvidia/cu13/lib/libcudart.so'));
    mkdirSync(join(unfinished, 'nvidia/cu13/lib/stubs'));
  },
});
console.log(`cudnn-gru: installed the CUDA toolkit in ${folder}; the next native build uses it`);
