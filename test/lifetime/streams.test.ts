import { describe, expect, it } from 'vitest';
import { devices, GRU, type Stream, synchronize } from '../../lib/index.js';
import { collectGarbage } from './collect.js';

async function bytesInUse(): Promise<number> {
  await collectGarbage();
  await synchronize();
  return devices().find((device) => device.name === 'cpu')?.memory?.bytesInUse ?? 0;
}

const frame = new Float32Array(8).fill(0.5);

describe('streams', () => {
  it('5,000 opened, used and closed leave nothing; so do 20,000 that nobody closes', async () => {
    const model = new GRU({ inputSize: 8, hiddenSize: 64 }).eval();
    const open = async (count: number, close: boolean) => {
      for (let i = 0; i < count; i++) {
        const stream = model.createStream();
        if (i % 2 === 0) await stream.push(frame);
        else stream.stepSync(frame);
        if (close) stream.close();
      }
    };
    await open(100, true);
    const early = await bytesInUse();
    await open(5000, true);
    expect(await bytesInUse()).toBeLessThanOrEqual(early);
    // A block holds the states of 1,024 streams, 256 KiB of them; blocks that were made before the garbage collector came are used again.
    await open(20_000, false);
    const before = await bytesInUse();
    await open(20_000, false);
    expect(await bytesInUse()).toBeLessThan(before + (10 << 18));
  });

  it('200 models with streams, all forgotten, leave nothing', async () => {
    const cycle = async () => {
      const model = new GRU({ inputSize: 8, hiddenSize: 64 }).eval();
      const stream = model.createStream();
      await stream.push(frame);
      stream.stepSync(frame);
      stream.close();
      model.dispose();
    };
    await cycle();
    const early = await bytesInUse();
    for (let i = 0; i < 200; i++) await cycle();
    // Each holds 256 KiB of states and its parameters twice: 80 MiB if they stayed.
    expect(await bytesInUse()).toBeLessThan(early + (8 << 20));
  });

  it('the event loop goes on while 300 streams push', async () => {
    const model = new GRU({ inputSize: 8, hiddenSize: 64 }).eval();
    const streams: Stream[] = Array.from({ length: 300 }, () => model.createStream());
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await Promise.all(
      streams.map(async (stream) => {
        for (let i = 0; i < 50; i++) await stream.push(frame);
      }),
    );
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
