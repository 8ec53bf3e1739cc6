// Measurements that hold on a machine whose speed drifts: the libraries run in turn, round by round, and ratios are taken within a round.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function milliseconds(prepared, repeats) {
  if (prepared.milliseconds) return prepared.milliseconds(repeats);
  const start = performance.now();
  for (let i = 1; i <= repeats; i++) await prepared(i === repeats);
  return (performance.now() - start) / repeats;
}

/**
 * Ours and the peers on one case.
 * @returns {Promise<{name: string, median: number, times: number[], ratio: number, ratios: number[]}[]>} ours first; a ratio is a peer's
 * time over ours of the same round
 */
export async function compare(libraries, kind, shape, { rounds, roundMilliseconds }) {
  const entries = [];
  for (const library of libraries) {
    const prepared = await library.prepare(kind, shape);
    if (!prepared) continue;
    const first = await milliseconds(prepared, 1);
    const warm = Math.min(await milliseconds(prepared, 2), first);
    entries.push({
      name: library.name,
      prepared,
      repeats: Math.max(1, Math.min(2000, Math.round(roundMilliseconds / warm))),
      times: [],
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) entry.times.push(await milliseconds(entry.prepared, entry.repeats));
  }
  return entries.map(({ name, times }) => {
    const ratios = times.map((time, round) => time / entries[0].times[round]);
    return { name, median: median(times), times, ratio: median(ratios), ratios };
  });
}

/** What one core can do, in GFLOP/s; undefined where there is no compiler. */
export function fmaPeak() {
  const folder = mkdtempSync(join(tmpdir(), 'fma-peak-'));
  try {
    const source = fileURLToPath(new URL('fma_peak.cc', import.meta.url));
    const program = join(folder, 'fma_peak');
    execFileSync('c++', ['-O3', '-march=native', '-ffp-contract=fast', source, '-o', program], { stdio: 'ignore' });
    return Number(execFileSync(program, { encoding: 'utf8' }));
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
