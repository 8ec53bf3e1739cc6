import { describe, expect, it } from 'vitest';
import {
  Adam,
  devices,
  GRU,
  Linear,
  losses,
  noGrad,
  ops,
  randn,
  releaseCache,
  synchronize,
  tensor,
} from '../../lib/index.js';
import { collectGarbage } from './collect.js';

const megabyte = 1 << 20;

/** Resident memory when the queue is empty and everything unreachable is collected. */
async function settled(): Promise<number> {
  await collectGarbage();
  await synchronize();
  return process.memoryUsage().rss;
}

function bytesInUse(): number {
  return devices().find((device) => device.name === 'cpu')?.memory?.bytesInUse ?? 0;
}

describe('memory', () => {
  it('after backward() the memory of the graph is free again', async () => {
    releaseCache();
    const gru = new GRU({ inputSize: 32, hiddenSize: 64 });
    const x = randn([16, 50, 32]);
    await settled(); // what other tests have left is not given back in between
    const before = bytesInUse();
    const { output, hidden } = gru.forward(x);
    const loss = output.sum();
    await synchronize();
    expect(bytesInUse() - before).toBeGreaterThan(4 * 16 * 50 * 64 * 4);
    loss.backward();
    for (const result of [output, hidden, loss]) result.dispose();
    for (const parameter of gru.parameters()) {
      parameter.grad?.dispose();
      parameter.grad = null;
    }
    await synchronize();
    // Packed weights may stay with the parameters.
    expect(bytesInUse() - before).toBeLessThan(8 * 3 * 64 * (64 + 32) * 4);
  });

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
    const early = process.memoryUsage().rss;
    await steps(2000);
    // Steps make about 60 kB each: if nobody collected them they would hold 120 MB.
    expect(bytesInUse()).toBeLessThan(64 * megabyte);
    expect(process.memoryUsage().rss - early).toBeLessThan(64 * megabyte);
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
    await settled();
    for (let i = 0; i < 20; i++) await cycle();
    const early = await settled();
    const inUse = bytesInUse();
    for (let i = 0; i < 200; i++) await cycle();
    const late = await settled();
    expect(bytesInUse()).toBe(inUse);
    // One model with its optimizer is 7 MB: 200 of them would be 1.4 GB.
    expect(late - early).toBeLessThan(160 * megabyte);
  });

  it('forgotten tensors are found by the garbage collector', async () => {
    await settled();
    const before = bytesInUse();
    const forget = () => {
      for (let i = 0; i < 50; i++) randn([250_000]); // 1 MB each
    };
    forget();
    await synchronize();
    expect(bytesInUse() - before).toBeGreaterThan(40 * megabyte);
    await settled();
    expect(bytesInUse() - before).toBeLessThan(5 * megabyte);
  });

  it('what forgotten graphs hold makes V8 collect, though in JavaScript they are small', async () => {
    const gru = new GRU({ inputSize: 64, hiddenSize: 256 });
    const x = randn([32, 100, 64]);
    let most = 0;
    for (let i = 0; i < 150; i++) {
      gru.forward(x); // 17 MB with the saved gates
      await synchronize();
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, bytesInUse());
    }
    expect(most).toBeLessThan(700 * megabyte);
  });

  describe('a stack of two layers in both directions', () => {
    const [time, batch, inputSize, hiddenSize, layers, directions] = [40, 24, 16, 48, 2, 2];
    const features = directions * hiddenSize;
    const gru = new GRU({ inputSize, hiddenSize, numLayers: layers, bidirectional: true, timeMajor: true });
    const outputs = 4 * (time * batch * features + layers * directions * batch * hiddenSize); // bytes of output and hidden
    const between = 4 * (layers - 1) * time * batch * features; // the outputs of the layers below
    const gates = 4 * layers * directions * 4 * time * batch * hiddenSize;
    // Blocks are rounded up by at most an eighth, and each has a header.
    const atMost = (bytes: number) => bytes * 1.125 + 4096;

    it('keeps for training the four gates of each step and the outputs between its layers', async () => {
      const x = randn([time, batch, inputSize]);
      gru.forward(x); // packs the weights
      await settled();
      const before = bytesInUse();
      const { output, hidden } = gru.forward(x);
      await synchronize();
      expect(bytesInUse() - before).toBeLessThanOrEqual(atMost(outputs + between + gates));
      expect(bytesInUse() - before).toBeGreaterThan(gates);
      output.dispose();
      hidden.dispose();
    });

    it('keeps nothing but its results in inference, and works with little', async () => {
      const x = randn([time, batch, inputSize]);
      noGrad(() => gru.forward(x));
      await settled();
      releaseCache();
      const before = bytesInUse();
      const { output, hidden } = noGrad(() => gru.forward(x));
      await synchronize();
      expect(bytesInUse() - before).toBeLessThanOrEqual(atMost(outputs));
      // What it took meanwhile lies in the cache now: the outputs between the layers, and a chunk of projected input for each direction.
      const cached = (devices().find(({ name }) => name === 'cpu')?.memory?.bytesReserved ?? 0) - bytesInUse();
      expect(cached).toBeLessThan(atMost(between + directions * 2 * 256 * 1024));
      output.dispose();
      hidden.dispose();
    });
  });
});
