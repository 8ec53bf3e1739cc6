import { describe, expect, it } from 'vitest';
import { Adam, devices, GRU, Linear, losses, ops, randn, synchronize, tensor } from '../../lib/index.js';

const megabyte = 1 << 20;

async function settled(): Promise<number> {
  await synchronize();
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().rss;
}

function bytesInUse(): number {
  return devices().find((device) => device.name === 'cpu')?.memory?.bytesInUse ?? 0;
}

describe('memory', () => {
  it('a plain training loop, which disposes nothing, does not grow over 2,000 steps', async () => {
    const gru = new GRU({ inputSize: 8, hiddenSize: 32 });
    const head = new Linear({ inputSize: 32, outputSize: 4 });
    const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { clipNorm: 1 });
    const x = new Float32Array(16 * 20 * 8).fill(0.5);
    const y = Int32Array.from({ length: 16 }, (_, row) => row % 4);
    const steps = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const { output } = gru.forward(tensor(x, [16, 20, 8]));
        const loss = losses.crossEntropy(head.forward(ops.lastStep(output)), tensor(y));
        loss.backward();
        await optimizer.step();
        optimizer.zeroGrad();
      }
    };
    await steps(500);
    const early = await settled();
    await steps(2000);
    expect((await settled()) - early).toBeLessThan(48 * megabyte);
    // Steps make about 60 kB each: without the garbage collector's help they would hold 120 MB.
    expect(bytesInUse()).toBeLessThan(32 * megabyte);
  });

  it('200 models made, trained for a step and disposed leave nothing', async () => {
    const cycle = async () => {
      const gru = new GRU({ inputSize: 64, hiddenSize: 128, numLayers: 2, bidirectional: true });
      const optimizer = new Adam(gru.parameters());
      const x = randn([4, 10, 64]);
      const { output, hidden } = gru.forward(x);
      const loss = output.mean();
      loss.backward();
      await optimizer.step();
      await loss.item();
      for (const one of [x, output, hidden, loss, optimizer, gru]) one.dispose();
    };
    for (let i = 0; i < 20; i++) await cycle();
    const early = await settled();
    const inUse = bytesInUse();
    for (let i = 0; i < 200; i++) await cycle();
    expect(bytesInUse()).toBe(inUse);
    // One model with its optimizer is 7 MB: 200 of them would be 1.4 GB.
    expect((await settled()) - early).toBeLessThan(48 * megabyte);
  });

  it('forgotten tensors are found by the garbage collector', async () => {
    await settled();
    const before = bytesInUse();
    for (let i = 0; i < 400; i++) {
      randn([250_000]); // 1 MB
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await settled();
    expect(bytesInUse() - before).toBeLessThan(200 * megabyte);
  });
});
