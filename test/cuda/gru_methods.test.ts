import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { random32 } from '../suites/checks.js';
import { emulated, reason, title } from './gpu.js';

// How the CUDA backend chooses among cuDNN's algorithms. The emulated GPU has a stand-in for cuDNN whose STANDARD is slow
// (test/native/cuda_emulation/cudnn.cc).
const cache = mkdtempSync(join(tmpdir(), 'cudnn-gru-choices-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));
// Read when the device is opened.
process.env.CUDNN_GRU_CACHE = cache;
const { GRU, noGrad, tensor } = await import('../../lib/index.js');
const { addon } = await import('../../lib/native/load.js');
const { deviceOf } = await import('../../lib/tensor/device.js');

describe.skipIf(reason !== '')(title('methods of the GRU'), () => {
  const device = 'cuda';
  const recorded = (): string[] => addon.choices(deviceOf(device).index);
  const input = (batch: number, time: number, features: number) =>
    tensor(Float32Array.from(random32(batch * time, [batch, time, features]).data), [batch, time, features], {
      device,
    });

  it('a prediction measures nothing; a training does, once, and keeps what it found in a file', async () => {
    const gru = new GRU({ inputSize: 3, hiddenSize: 8, device });
    const before = recorded().length;
    await noGrad(() => gru.forward(input(2, 5, 3))).hidden.data();
    expect(recorded()).toHaveLength(before);
    await gru.forward(input(2, 5, 3)).hidden.data();
    expect(recorded()).toHaveLength(before + 1);
    await gru.forward(input(2, 5, 3)).hidden.data();
    await gru.forward(input(2, 7, 3)).hidden.data(); // of the same bucket
    expect(recorded()).toHaveLength(before + 1);
    const file = readFileSync(join(cache, 'gru-methods.tsv'), 'utf8');
    expect(file.trim().split('\n')).toEqual(recorded());
    expect(file).toMatch(emulated ? /training; float32; .*\tpersistStatic/ : /training; float32; .*\t\w+/);
  });

  it('tune() measures predictions and trainings of a shape', async () => {
    const gru = new GRU({ inputSize: 4, hiddenSize: 9, numLayers: 2, dropout: 0.5, bidirectional: true, device });
    const shapes = [true, false].flatMap((training) =>
      [true, false].map((lengths) => ({ batch: 3, time: 6, training, lengths })),
    );
    await gru.tune(shapes);
    const own = recorded().filter((line) => line.includes('4 to 9'));
    expect(own).toHaveLength(4);
    // The stand-in's other algorithms take no lengths.
    if (emulated)
      expect(own.filter((line) => line.includes(', lengths')).every((line) => /\tstandard/.test(line))).toBe(true);
    await expect(gru.tune([{ batch: 0, time: 1 }])).rejects.toThrow(RangeError);
    await expect(gru.tune({} as never)).rejects.toThrow(TypeError);
  });

  it('lines of elsewhere are followed; nonsense is passed over', async () => {
    const gru = new GRU({ inputSize: 5, hiddenSize: 7, device });
    await gru.tune([{ batch: 1, time: 4, training: false }]);
    const line = recorded().find((candidate) => candidate.includes('5 to 7')) as string;
    const call = line.split('\t')[0] as string;
    addon.followChoices(deviceOf(device).index, [`${call}\tstandard timeMajor`, 'nonsense', '\t', `${call}\tfastest`]);
    expect(recorded()).toContain(`${call}\tstandard timeMajor`);
    expect(await noGrad(() => gru.forward(input(1, 4, 5))).hidden.data()).toHaveLength(7);
  });

  it('an algorithm that refuses is an error where the result is read, and the device goes on', async () => {
    const wide = new GRU({ inputSize: 3, hiddenSize: 200, device, algorithm: 'persistStaticSmallH' });
    await expect(noGrad(() => wide.forward(input(2, 3, 3))).hidden.data()).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
    });
    wide.algorithm = 'standard';
    expect(await noGrad(() => wide.forward(input(2, 3, 3))).hidden.data()).toHaveLength(400);
  });
});
