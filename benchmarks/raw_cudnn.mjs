// cuDNN called directly (raw_cudnn.cc) as a library to compare with: see peers.mjs.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const rawCudnnProgram = join(root, 'build/Release/raw_cudnn');

/** Compiles the program. `emulated`: over the stand-ins of test/native/cuda_emulation, to see without a GPU whether it runs. */
export function buildRawCudnn(program = rawCudnnProgram, { emulated = false } = {}) {
  const wheels = join(root, '.cache/cuda-toolkit/nvidia');
  const cuda = existsSync(wheels) ? join(wheels, 'cu13') : (process.env.CUDA_PATH ?? '/usr/local/cuda');
  const includes = ['native', join(cuda, 'include'), join(wheels, 'cudnn/include')].map((folder) => `-I${folder}`);
  const emulation = ['cudnn', 'cudnn_gru_math', 'cublas_lt', 'grid', 'libraries', 'runtime'];
  const sources = emulated
    ? emulation.map((name) => `test/native/cuda_emulation/${name}.cc`)
    : [
        'cuda/libraries/cudnn_sublibraries',
        'cuda/libraries/libraries',
        'cuda/libraries/library_search',
        'platform/dynamic_library',
      ].map((name) => `native/${name}.cc`);
  const files = ['benchmarks/raw_cudnn.cc', 'native/cuda/cuda_status.cc', ...sources];
  const libraries = [...(emulated ? [] : [join(cuda, 'lib64/libcudart_static.a')]), '-ldl', '-lpthread', '-lrt'];
  const args = [
    '-std=c++17',
    emulated ? '-O0' : '-O2',
    '-Wall',
    '-Wextra',
    ...includes,
    ...files,
    ...libraries,
    '-o',
    program,
  ];
  execFileSync(process.env.CXX ?? 'c++', args, { cwd: root, stdio: 'inherit' });
}

/**
 * @returns the library, whose cases also say in `details()` what was chosen among which candidates; or { missing: why }
 */
export async function rawCudnn(program) {
  if (!existsSync(program)) return { missing: `${program}: build it by npm run bench:gpu -- --build` };
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (question) => {
    child.stdin.write(`${question}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('raw cuDNN: the program has ended');
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`raw cuDNN: ${answer.error}`);
    return answer;
  };
  const prepare = async (kind, shape) => {
    if (kind === 'training step') return undefined;
    const { time, batch, inputSize, hiddenSize, layers, directions, precision, variant } = shape;
    const sizes = [time, batch, inputSize, hiddenSize, layers, directions].join(' ');
    // cuDNN has no reset-before cell; ours is held against STANDARD for the other one.
    const which = variant === 'resetBefore' ? 'standard' : 'all';
    const answer = await ask(`prepare ${sizes} ${precision} ${kind === 'queued inference' ? 0 : 1} ${which}`);
    if (answer.chosen === null) return undefined;
    return { milliseconds: async (repeats) => (await ask(`run ${repeats}`)).ms, details: () => answer };
  };
  return { name: 'raw cuDNN', prepare, close: () => child.stdin.end() };
}
