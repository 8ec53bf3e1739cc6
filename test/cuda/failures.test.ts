import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { child, emulated, entry, reason, title } from './gpu.js';

const { Adam, devices, GRU, Linear, losses, noGrad, ones, ops, tensor, zeros } = await import('../../lib/index.js');

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

  it.each<[string, () => unknown]>([
    ['add', () => ops.add(ones([2]), ones([2], { device }))],
    ['matmul', () => ops.matmul(ones([2, 2]), ones([2, 2], { device }))],
    ['linear', () => new Linear({ inputSize: 2, outputSize: 2, device }).forward(ones([1, 2]))],
    ['gru', () => new GRU({ inputSize: 2, hiddenSize: 3 }).forward(ones([1, 4, 2], { device }))],
    [
      'gru, state',
      () => {
        const gru = new GRU({ inputSize: 2, hiddenSize: 3, device });
        return gru.forward(ones([1, 4, 2], { device }), { initialHidden: ones([1, 1, 3]) });
      },
    ],
    ['crossEntropy', () => losses.crossEntropy(ones([1, 2], { device }), tensor(Int32Array.of(0)))],
    [
      'optimizer',
      () =>
        new Adam([ones([1], { requiresGrad: true }), ones([1], { device, requiresGrad: true })], { learningRate: 1 }),
    ],
  ])('%s of tensors on two devices: ERR_DEVICE_MISMATCH names both', (_, run) => {
    expect(run).toThrow(
      expect.objectContaining({
        code: 'ERR_DEVICE_MISMATCH',
        message: expect.stringMatching(/\bcpu\b.*cuda:0|cuda:0.*\bcpu\b/),
      }),
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

  it.skipIf(!emulated)(
    `several GPUs are cuda:0, cuda:1, each with tensors of its own${emulated ? '' : ' (skipped: needs two)'}`,
    () => {
      const { stdout, stderr } = child(
        `const { devices, GRU, Generator, noGrad, ones, ops } = await import(${JSON.stringify(entry)});
        console.log(devices().map(({ name, available }) => name + ' ' + available).join());
        const results = [];
        for (const device of ['cuda:0', 'cuda:1']) {
          const gru = new GRU({ inputSize: 3, hiddenSize: 4, device, generator: new Generator(1) });
          const { output } = gru.forward(ones([2, 5, 3], { device }));
          output.sum().backward();
          results.push([...(await output.data()), ...(await gru.weight_hh_l0.grad.data())].join());
          console.log(gru.weight_hh_l0.grad.device);
        }
        console.log(results[0] === results[1] && results[0].length > 100);
        const moved = ones([2], { device: 'cuda:0' }).to('cuda:1');
        console.log(moved.device, await moved.sum().item());
        for (const fn of [
          () => ops.add(ones([2], { device: 'cuda' }), moved),
          () => ones([1], { device: 'cuda:2' }),
        ]) try { fn(); } catch ({ code, message }) { console.log(code, message); }`,
        { CUDNN_GRU_EMULATED_DEVICES: '2' },
      );
      expect(stderr).toBe('');
      const lines = stdout.trim().split('\n');
      expect(lines.slice(0, 5)).toEqual([
        expect.stringMatching(/cuda:0 true,cuda:1 true/),
        'cuda:0',
        'cuda:1',
        'true',
        'cuda:1 2',
      ]);
      expect(lines[5]).toMatch(/^ERR_DEVICE_MISMATCH .*cuda:0.*cuda:1/);
      expect(lines[6]).toMatch(/^ERR_DEVICE_UNAVAILABLE .*there are 2 \(cuda:0 to cuda:1\)/);
    },
  );

  it.skipIf(!emulated)(
    `nothing waits for the GPU inside training steps${emulated ? '' : ' (skipped: an emulated GPU tells)'}`,
    () => {
      const { stderr, status } = child(
        `const { Adam, GRU, Linear, losses, ops, randn, scope, synchronize, tensor } = await import(${JSON.stringify(entry)});
        const device = 'cuda';
        const gru = new GRU({ inputSize: 3, hiddenSize: 8, numLayers: 2, dropout: 0.2, device });
        const head = new Linear({ inputSize: 8, outputSize: 4, device });
        const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { learningRate: 0.01, clipNorm: 1 });
        const targets = tensor(Int32Array.of(0, 1, 2, 3), [4], { device });
        const steps = async (count, precision) => {
          for (let i = 0; i < count; i++) {
            // A batch of its own, with lengths, is uploaded in each step.
            const x = tensor(Float32Array.from({ length: 60 }, Math.random), [4, 5, 3], { device });
            scope(() => {
              const { output } = gru.forward(x, { lengths: [5, 2, 0, 4] });
              losses.crossEntropy(head.forward(ops.lastStep(output)), targets).backward();
            });
            await optimizer.step();
            optimizer.zeroGrad();
            x.dispose();
          }
          await synchronize(device);
        };
        await steps(3);
        process.stderr.write('begin\\n');
        await steps(30);
        process.stderr.write('end\\n');
        await head.weight.data();`,
        { CUDNN_GRU_EMULATED_TRACE: '1', CUDNN_GRU_CACHE: 'off' },
      );
      expect(status).toBe(0);
      // The choice of an algorithm does wait, in the first step.
      expect(stderr).toMatch(/^emulated GPU: .* waits\n(.*\n)*begin\nend\n/);
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
