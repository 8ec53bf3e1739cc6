import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../benchmarks/inference_memory.mjs', import.meta.url));

// 64 MB and 512 MB of rows: what is read and computed does not stay.
it('memory does not grow with the file, and the event loop goes on', async () => {
  const predict = async (rows: number) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, '--rows', String(rows)]);
    const found = JSON.parse(stdout) as { rows: number; residentMiB: number; delayP99: number };
    expect(found.rows).toBe(rows);
    return found;
  };
  const small = await predict(500_000);
  const large = await predict(4_000_000);
  expect(large.residentMiB).toBeLessThan(300);
  expect(large.residentMiB).toBeLessThan(1.3 * small.residentMiB);
  expect(large.delayP99).toBeLessThan(20);
}, 180_000);
