import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';

// The emulated GPU's stand-in for cuDNN beside the real cuDNN 9.14 of the wheel, which answers these questions without a GPU
// (test/native/cudnn_answers.cc): where the parameters lie in the weight space, as native/cuda/gru_descriptors.cc reads it, and what is refused.
const wheels = join(root, '.cache/cuda-toolkit/nvidia');
const missing =
  process.platform !== 'linux' ? 'Linux only' : existsSync(wheels) ? '' : 'no toolkit: npm run cuda:toolkit';

describe.skipIf(missing !== '')(`cuDNN and its stand-in${missing && ` (skipped: ${missing})`}`, () => {
  const work = mkdtempSync(join(tmpdir(), 'cudnn-gru-answers-'));
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it('lay out weights alike and refuse the same', { timeout: 120_000 }, (context) => {
    const emulation = ['cudnn', 'cudnn_gru_math', 'grid', 'runtime'].map(
      (name) => `test/native/cuda_emulation/${name}.cc`,
    );
    const sources = ['test/native/cudnn_answers.cc', 'native/cuda/gru_descriptors.cc', 'native/cuda/cuda_status.cc'];
    const includes = ['native', 'test/native/cuda_emulation'].map((folder) => `-I${folder}`);
    const headers = ['cu13/include', 'cudnn/include'].map((folder) => `-isystem${join(wheels, folder)}`);
    const program = join(work, 'answers');
    execFileSync(
      'c++',
      ['-std=c++17', '-O1', ...includes, ...headers, ...sources, ...emulation, '-lpthread', '-ldl', '-o', program],
      { cwd: root, stdio: 'pipe' },
    );
    const answers = (...args: string[]) => execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n');

    const real = answers(join(wheels, 'cudnn/lib/libcudnn.so.9'));
    if (real[1] === 'a driver') return context.skip('a GPU is here, whose cuDNN answers for itself');
    if (real.length === 1) return context.skip(`cuDNN 91400 is known inside; this is ${real[0]}`);
    expect(real.length).toBeGreaterThan(150);
    expect(answers()).toEqual(real);
  });
});
