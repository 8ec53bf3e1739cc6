// Measurements that hold on a machine whose speed drifts: the libraries run in turn, round by round, and ratios are taken within a round.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function milliseconds(prepared, repeats) {
  if (prepared.milliseconds) return prepared.milliseconds(repeats);
  const start = performance.now();
  for (let i = 1; i <= repeats; i++) await prepared(i === repeats);
  return (performance.now() - start) / repeats;
}

/**
 * Ours and the peers on one case. A round takes `roundMilliseconds`, or is of `repeats` calls; before it nobody works for `quietMilliseconds`,
 * because a library's thread pool spins on for a while after its work, on the processors of the next.
 * @returns {Promise<{name: string, median: number, times: number[], ratio: number, ratios: number[], details?: object}[]>} ours first; a
 * ratio is a peer's time over ours of the same round; details: what the library says of its case
 */
export async function compare(libraries, kind, shape, { rounds, roundMilliseconds, repeats, quietMilliseconds = 50 }) {
  const entries = [];
  for (const library of libraries) {
    const prepared = await library.prepare(kind, shape);
    if (!prepared) continue;
    const first = await milliseconds(prepared, 1);
    const warm = Math.min(await milliseconds(prepared, 2), first);
    entries.push({
      name: library.name,
      prepared,
      repeats: repeats ?? Math.max(1, Math.min(2000, Math.round(roundMilliseconds / warm))),
      times: [],
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) {
      await setTimeout(quietMilliseconds);
      await milliseconds(entry.prepared, 1);
      entry.times.push(await milliseconds(entry.prepared, entry.repeats));
    }
  }
  return entries.map(({ name, prepared, times }) => {
    const ratios = times.map((time, round) => time / entries[0].times[round]);
    const details = prepared.details?.();
    prepared.dispose?.();
    return { name, median: median(times), times, ratio: median(ratios), ratios, ...(details && { details }) };
  });
}

/**
 * What one core can do; undefined where there is no compiler.
 * @returns {{gflops: number, bandwidth: [bytes: number, gigabytesPerSecond: number][]} | undefined}
 */
export function corePeaks() {
  const folder = mkdtempSync(join(tmpdir(), 'peaks-'));
  try {
    const source = fileURLToPath(new URL('peaks.cc', import.meta.url));
    const program = join(folder, 'peaks');
    execFileSync('c++', ['-O3', '-march=native', '-ffp-contract=fast', source, '-o', program], { stdio: 'ignore' });
    return JSON.parse(execFileSync(program, { encoding: 'utf8' }));
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The least milliseconds of one inference in float32: every multiply-add at the peak, but no step faster than each core reads its share
 * of the recurrent weights from the cache that holds it.
 */
export function floorMilliseconds(
  { time, batch, inputSize, hiddenSize, layers, directions },
  threads,
  { gflops, bandwidth },
) {
  const share = (12 * hiddenSize * hiddenSize) / threads; // bytes
  const [, gigabytes] = bandwidth.findLast(([bytes]) => bytes <= share) ?? bandwidth[0];
  const step = Math.max((6 * batch * hiddenSize * hiddenSize) / (threads * gflops), share / gigabytes); // ns
  let nanoseconds = 0;
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? inputSize : directions * hiddenSize;
    nanoseconds += directions * time * ((6 * batch * hiddenSize * width) / (threads * gflops) + step);
  }
  return nanoseconds / 1e6;
}
