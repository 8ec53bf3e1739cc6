import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { random32 } from '../suites/checks.js';

// How the CUDA backend chooses among cuDNN's algorithms, and its precisions, on the emulated GPU with a stand-in for cuDNN whose STANDARD is
// slow (test/native/cuda_emulation/cudnn.cc). Says nothing about a GPU.
const addonFile = join(import.meta.dirname, '../../build/emulated/Release/cudnn_gru.node');
const skipped = process.env.CUDNN_GRU_ADDON
  ? 'CUDNN_GRU_ADDON names another build'
  : existsSync(addonFile)
    ? ''
    : 'not built: npm run cuda:toolkit && npm run build:emulated';

const cache = mkdtempSync(join(tmpdir(), 'cudnn-gru-choices-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));
if (skipped === '') {
  // Read when the addon is loaded, or its device opened.
  process.env.CUDNN_GRU_ADDON = addonFile;
  process.env.CUDNN_GRU_CACHE = cache;
}
const { GRU, noGrad, ops, tensor, withPrecision } = await import('../../lib/index.js');
const { addon } = await import('../../lib/native/load.js');
const { deviceOf } = await import('../../lib/tensor/device.js');

describe.skipIf(skipped !== '')(`methods of the GRU, emulated${skipped && ` (skipped: ${skipped})`}`, () => {
  const device = 'cuda';
  const recorded = (): string[] => addon.choices(deviceOf(device).index);
  const input = (batch: number, time: number, features: number, requiresGrad = false) =>
    tensor(Float32Array.from(random32(batch * time, [batch, time, features]).data), [batch, time, features], {
      device,
      requiresGrad,
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
    expect(file).toMatch(/training; float32; .*\tpersistStatic/);
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

  it('all algorithms, orders and layouts give the same results', async () => {
    const x = input(3, 6, 4);
    for (const timeMajor of [true, false]) {
      const gru = new GRU({ inputSize: 4, hiddenSize: 10, numLayers: 2, bidirectional: true, timeMajor, device });
      const own = timeMajor ? ops.transpose(x, 0, 1) : x;
      const results: Float32Array[] = [];
      for (const algorithm of ['standard', 'persistStatic', 'persistStaticSmallH', 'tuned', 'auto'] as const) {
        gru.algorithm = algorithm;
        results.push((await gru.forward(own).output.data()) as Float32Array);
      }
      for (const other of results) expect([...other]).toEqual([...(results[0] as Float32Array)]);
    }
  });

  describe.each([
    ['tf32', 1e-3],
    ['float16', 4e-3],
    ['bfloat16', 3e-2],
  ] as const)('%s', (precision, tolerance) => {
    it.each(['resetAfter', 'resetBefore'] as const)('%s: close to float32, forward and backward', async (variant) => {
      const gru = new GRU({ inputSize: 5, hiddenSize: 12, numLayers: 2, bidirectional: true, variant, device });
      const pass = async (run: <T>(fn: () => T) => T) => {
        const x = input(4, 7, 5, true);
        for (const parameter of gru.parameters()) parameter.grad = null;
        const { output } = run(() => gru.forward(x, { lengths: [7, 2, 0, 5] }));
        // Gradients as small as a mean over many examples gives: below what float16 holds.
        ops.scale(output.sum(), 1e-7).backward();
        const grads = [x, ...gru.parameters()].map((leaf) => leaf.grad?.data() as Promise<Float32Array>);
        return [(await output.data()) as Float32Array, ...(await Promise.all(grads))];
      };
      const expected = await pass((fn) => fn());
      const actual = await pass((fn) => withPrecision(precision, fn));
      for (const [index, array] of expected.entries()) {
        const largest = array.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const error = array.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (actual[index]?.[i] as number))),
          0,
        );
        expect(error, `array ${index}`).toBeLessThan(tolerance * 3 * largest);
        expect(largest, `array ${index}`).toBeGreaterThan(0);
      }
    });
  });
});
