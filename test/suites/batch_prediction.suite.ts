import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  type DeviceName,
  GRU,
  Linear,
  noGrad,
  predictFile,
  predictRows,
  readNpy,
  Sequential,
  tensor,
  writeNpy,
} from '../../lib/index.js';
import { Array64 } from '../reference/array64.js';
import { type Backend, expectSame } from './backend.js';
import { random32 } from './checks.js';

const [rows, time, inputSize] = [500, 9, 4];

/** Rows through a model on this device, and shared with the CPU. */
export function run(backend: Backend): void {
  const model = () =>
    new Sequential(new GRU({ inputSize, hiddenSize: 12 }), new Linear({ inputSize: 12, outputSize: 2 }));
  const data = Float32Array.from(random32(3, [rows, time, inputSize]).data);

  it.each<[string, DeviceName[]]>([
    ['alone', [backend.device]],
    ['beside the CPU', ['cpu', backend.device]],
  ])('predictFile and predictRows, %s: the rows in their order, for a model that is on the CPU', async (_, devices) => {
    const own = model().eval();
    const expected = await noGrad(() => own.forward(tensor(data, [rows, time, inputSize]))).data();
    const wanted = new Array64([rows, time, 2], Array.from(expected));
    const folder = await mkdtemp(join(tmpdir(), 'batch-'));
    try {
      const [input, output] = [join(folder, 'x.npy'), join(folder, 'y.npy')];
      await writeNpy(input, { data, shape: [rows, time, inputSize] });
      expect(await predictFile(own, { input, output, devices, batchSize: 32 })).toMatchObject({ rows });
      expectSame(backend, (await readNpy(output)).data as Float32Array, wanted, 'file');
    } finally {
      await rm(folder, { recursive: true });
    }
    const row = (i: number) => ({
      data: data.slice(i * time * inputSize, (i + 1) * time * inputSize),
      shape: [time, inputSize],
    });
    const found: number[] = [];
    const all = Array.from({ length: rows }, (_, i) => row(i));
    for await (const { outputs } of predictRows(own, all, { devices, batchSize: 32 })) {
      found.push(...(outputs.output?.data ?? []));
    }
    expectSame(backend, found, wanted, 'rows');
    own.dispose();
  });
}
