import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const { resolve } = createRequire(import.meta.url)('node-gyp-build') as { resolve(folder: string): string };

interface Bits {
  description: string;
  reason: string;
  digests: Record<string, string>;
}

interface Outputs {
  reason: string;
  outputs: Record<string, string>;
}

function runWith<T>(set: string, name: string): T {
  const script = fileURLToPath(new URL(`./${name}`, import.meta.url));
  const addon = process.env.CUDNN_GRU_ADDON ?? resolve(fileURLToPath(new URL('../..', import.meta.url)));
  const env = { ...process.env, CUDNN_GRU_CPU: set };
  return JSON.parse(execFileSync(process.execPath, [script, addon], { env, encoding: 'utf8' })) as T;
}

describe('gru gives the same bits on AVX2 and on AVX-512', () => {
  const [avx2, avx512] = [runWith<Bits>('avx2', 'gru_bits.mjs'), runWith<Bits>('avx512', 'gru_bits.mjs')];
  const reason = avx2.reason || avx512.reason;
  it.skipIf(reason !== '')(reason === '' ? 'in every case' : `skipped: ${reason}`, () => {
    expect(avx2.description).toContain('avx2');
    expect(avx512.description).toContain('avx512');
    expect(Object.keys(avx2.digests)).toHaveLength(24);
    expect(avx512.digests).toEqual(avx2.digests);
  });
});

describe('gruQuantized on every instruction set', () => {
  const runs = ['avx512', 'avx2', 'baseline'].map((set) => runWith<Outputs>(set, 'gru_quantized_bits.mjs'));
  const reason = runs.map((run) => run.reason).find((text) => text !== '') ?? '';
  const [avx512, avx2, baseline] = runs.map((run) => run.outputs) as [
    Outputs['outputs'],
    Outputs['outputs'],
    Outputs['outputs'],
  ];
  const numbers = (text: string | undefined) =>
    new Float32Array(Uint8Array.from(Buffer.from(text ?? '', 'base64')).buffer);
  const isInt8 = ([name]: [string, string]) => name.startsWith('int8');
  const largestDifference = (name: string) => {
    const others = [numbers(avx2[name]), numbers(baseline[name])];
    return numbers(avx512[name]).reduce(
      (most, value, i) => Math.max(most, ...others.map((other) => Math.abs(value - (other[i] as number)))),
      0,
    );
  };

  it.skipIf(reason !== '')(reason === '' ? 'int8: the same bits on AVX2 and AVX-512' : `skipped: ${reason}`, () => {
    expect(Object.keys(avx512)).toHaveLength(12);
    const int8 = Object.entries(avx2).filter(isInt8);
    expect(int8).toHaveLength(6);
    expect(Object.entries(avx512).filter(isInt8)).toEqual(int8);
  });

  // A state that differs in its last bit may be rounded to the next number of the format, which is far from the last bit.
  it.skipIf(reason !== '')(reason === '' ? 'all: within one such rounding' : `skipped: ${reason}`, () => {
    for (const name of Object.keys(avx512)) expect(largestDifference(name), name).toBeLessThan(2e-3);
  });
});
