import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';
import { emulated, reason, title } from './gpu.js';

const { devices, GRU, noGrad, ones, ops, zeros } = await import('../../lib/index.js');

// Workers and child processes run the compiled package, as a user's would.
const entry = new URL('../../dist/index.js', import.meta.url).href;

describe.skipIf(reason !== '')(title('failures'), () => {
  const device = 'cuda';

  it('out of memory is an error that names the sizes, where the result is read; the device goes on', async () => {
    const gru = new GRU({ inputSize: 2, hiddenSize: 3, device });
    const total = Number(/(\d+) MiB/.exec(devices().find(({ name }) => name === 'cuda:0')?.description ?? '')?.[1]);
    expect(total).toBeGreaterThan(0);
    // Half as much again as the GPU has.
    const shape = [total, 1.5 * 2 ** 18];
    const huge = zeros(shape, { device });
    await expect(huge.sum().item()).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /cuda:0 cannot allocate \d+ bytes \(\d+ MiB\): \d+ MiB are in use here, \d+ MiB of \d+ MiB are free/,
      ),
    });
    huge.dispose();
    expect(await noGrad(() => gru.forward(ones([1, 4, 2], { device }))).output.data()).toHaveLength(12);
  });

  it('tensors of two devices in one operation: ERR_DEVICE_MISMATCH names both', () => {
    expect(() => ops.add(ones([2]), ones([2], { device }))).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_MISMATCH', message: expect.stringMatching(/cpu.*cuda:0/) }),
    );
  });

  it('a GPU that is not there: how many there are', () => {
    expect(() => ones([1], { device: 'cuda:97' })).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_UNAVAILABLE', message: expect.stringMatching(/there are \d+/) }),
    );
  });

  it('CUDA_VISIBLE_DEVICES hides the GPU: the reason says so, and asking for it throws', () => {
    const { stdout, status } = child(
      `const { devices, ones } = await import(${JSON.stringify(entry)});
      console.log(devices()[0].available);
      try { ones([1], { device: 'cuda' }); } catch ({ code, message }) { console.log(code, message); }`,
      { CUDA_VISIBLE_DEVICES: '' },
    );
    expect(stdout).toMatch(/^false\nERR_DEVICE_UNAVAILABLE .*CUDA_VISIBLE_DEVICES/);
    expect(status).toBe(0);
  });

  it.skipIf(!emulated)(
    `a fault of a kernel marks the device lost, with the first cause${emulated ? '' : ' (skipped: a healthy GPU has none)'}`,
    () => {
      const { stdout, status } = child(
        `const { GRU, ones, tensor } = await import(${JSON.stringify(entry)});
        const device = 'cuda';
        const results = [];
        for (let i = 0; i < 4; i++) {
          try {
            results.push(await ones([3], { device }).sum().item());
          } catch ({ code, message }) {
            results.push({ code, message });
          }
        }
        const cpu = await ones([3]).sum().item();
        console.log(JSON.stringify({ results, cpu }));`,
        { CUDNN_GRU_EMULATED_FAULT: '3' },
      );
      expect(status).toBe(0);
      const { results, cpu } = JSON.parse(stdout);
      expect(results[0]).toBe(3);
      const lost = results.slice(1);
      for (const result of lost) {
        expect(result.code).toBe('ERR_DEVICE_LOST');
        expect(result.message).toContain('the first cause was cudaErrorLaunchFailure');
        expect(result.message).toBe(lost[0].message);
      }
      expect(cpu).toBe(3);
    },
  );

  it('two worker threads train on one GPU, each to the same bits', async () => {
    const source = `
      import { parentPort } from 'node:worker_threads';
      const { Adam, GRU, losses, randn, setSeed } = await import(${JSON.stringify(entry)});
      setSeed(7);
      const device = 'cuda';
      const gru = new GRU({ inputSize: 3, hiddenSize: 5, device });
      const optimizer = new Adam(gru.parameters(), { learningRate: 0.01 });
      const [x, target] = [randn([4, 6, 3], { device }), randn([4, 6, 5], { device })];
      for (let i = 0; ; i++) {
        const loss = losses.mse(gru.forward(x).output, target);
        loss.backward();
        await optimizer.step();
        optimizer.zeroGrad();
        if (i === 40) {
          parentPort.postMessage(await loss.item());
          break;
        }
      }`;
    const result = () =>
      new Promise<number>((resolve, reject) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    const [first, second] = await Promise.all([result(), result()]);
    expect(first).toBeGreaterThan(0);
    expect(second).toBe(first);
  });
});

function child(script: string, env: NodeJS.ProcessEnv) {
  const args = ['--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, encoding: 'utf8' });
}
