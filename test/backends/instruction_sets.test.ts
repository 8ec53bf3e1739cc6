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

function bitsOf(set: string): Bits {
  const script = fileURLToPath(new URL('./gru_bits.mjs', import.meta.url));
  const addon = process.env.CUDNN_GRU_ADDON ?? resolve(fileURLToPath(new URL('../..', import.meta.url)));
  const env = { ...process.env, CUDNN_GRU_CPU: set };
  return JSON.parse(execFileSync(process.execPath, [script, addon], { env, encoding: 'utf8' })) as Bits;
}

describe('gru gives the same bits on AVX2 and on AVX-512', () => {
  const [avx2, avx512] = [bitsOf('avx2'), bitsOf('avx512')];
  const reason = avx2.reason || avx512.reason;
  it.skipIf(reason !== '')(reason === '' ? 'in every case' : `skipped: ${reason}`, () => {
    expect(avx2.description).toContain('avx2');
    expect(avx512.description).toContain('avx512');
    expect(Object.keys(avx2.digests)).toHaveLength(24);
    expect(avx512.digests).toEqual(avx2.digests);
  });
});
