import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  CudnnGruError,
  GRU,
  Linear,
  losses,
  noGrad,
  ops,
  randn,
  SGD,
  scope,
  synchronize,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';
import { addon } from '../../lib/native/load.js';
import { deviceOf } from '../../lib/tensor/device.js';

const cpu = deviceOf('cpu').index;

/** A long chain of work, about a millisecond for each doubling; its result is 2^doublings in every element. */
function slowChain(doublings: number, size = 2_000_000): Tensor {
  let value = tensor(new Float32Array(size).fill(1));
  for (let i = 0; i < doublings; i++) {
    const next = value.add(value);
    value.dispose();
    value = next;
  }
  return value;
}

describe('the queue', () => {
  it('runs commands in order, and tensors disposed while their commands wait are still used', async () => {
    const last = slowChain(60);
    expect(addon.pending(cpu)).toBeGreaterThan(0);
    const data = await last.data();
    expect(data[0]).toBe(2 ** 60);
    expect(data.at(-1)).toBe(2 ** 60);
  });

  it('a read sees what was written before it and not what comes after', async () => {
    const x = zeros([3]);
    const before = x.data();
    x.write(Float32Array.of(1, 2, 3));
    const between = x.data();
    x.write(Float32Array.of(4, 5, 6));
    expect([...(await before)]).toEqual([0, 0, 0]);
    expect([...(await between)]).toEqual([1, 2, 3]);
    expect([...x.dataSync()]).toEqual([4, 5, 6]);
  });

  it('write() copies: the array may be changed at once', async () => {
    const x = slowChain(20).slice(0, 0, 2);
    const source = Float32Array.of(7, 8);
    x.write(source);
    source.fill(0);
    expect([...(await x.data())]).toEqual([7, 8]);
  });

  it('a loop that awaits step() never lets the queue grow', async () => {
    const layer = new Linear({ inputSize: 256, outputSize: 256 });
    const optimizer = new SGD(layer.parameters(), { learningRate: 1e-3 });
    const x = randn([64, 256]);
    let longest = 0;
    for (let i = 0; i < 300; i++) {
      scope(() => layer.forward(x).mean().backward());
      await optimizer.step();
      optimizer.zeroGrad();
      longest = Math.max(longest, addon.pending(cpu));
    }
    expect(longest).toBeLessThan(150);
  });

  it('a loop that awaits nothing is held at the capacity of the queue', async () => {
    const x = tensor(new Float32Array(100_000));
    let longest = 0;
    for (let i = 0; i < 6000; i++) {
      x.tanh().dispose();
      longest = Math.max(longest, addon.pending(cpu));
    }
    expect(longest).toBeLessThanOrEqual(4097);
    await synchronize();
    // The command that tells us may still be on its way out.
    expect(addon.pending(cpu)).toBeLessThanOrEqual(1);
  });
});

describe('brief work', () => {
  const gru = new GRU({ inputSize: 16, hiddenSize: 32 }).eval();
  // A read, from which on brief work is counted anew. The command that tells us of its end may still be on its way out.
  const idle = async () => {
    await zeros([1]).data();
    while (addon.pending(cpu) > 0) await setTimeout(1);
  };
  const step = (x: Tensor) => noGrad(() => gru.forward(x).hidden);

  it('runs at once where nothing waits, and so does a read of it', async () => {
    await idle();
    const read = step(randn([1, 1, 16])).data();
    expect(addon.pending(cpu)).toBe(0);
    expect((await read).length).toBe(32);
  });

  it('lets other work have its turn, however much of it is awaited in a row', async () => {
    await idle();
    const x = randn([1, 1, 16]);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    // Some hundred milliseconds at most, or for ever.
    const end = performance.now() + 10_000;
    while (turns < 10 && performance.now() < end) await step(x).data();
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it('keeps its place behind what waits, with the same bits', async () => {
    const x = randn([1, 1, 16]);
    const alone = await step(x).data();
    const slow = slowChain(60);
    const behind = step(x);
    expect(addon.pending(cpu)).toBeGreaterThan(1);
    expect(await behind.data()).toEqual(alone);
    expect((await slow.data())[0]).toBe(2 ** 60);
  });

  it('is left to the queue as soon as much of it comes at once: JavaScript goes on beside it', async () => {
    await idle();
    const large = new GRU({ inputSize: 256, hiddenSize: 256 }).eval();
    const x = randn([1, 1, 256]);
    await noGrad(() => large.forward(x).hidden).data();
    let most = 0;
    const results = Array.from({ length: 200 }, () => {
      const { hidden } = noGrad(() => large.forward(x));
      most = Math.max(most, addon.pending(cpu));
      return hidden;
    });
    expect(most).toBeGreaterThan(0);
    const [first, last] = await Promise.all([results[0]?.data(), results.at(-1)?.data()]);
    expect(first).toEqual(last);
  });

  it('that fails is an error of the next read, as anywhere else', async () => {
    await idle();
    const embedded = ops.embedding(tensor(Int32Array.of(7)), randn([4, 3]));
    expect(addon.pending(cpu)).toBe(0);
    await expect(embedded.data()).rejects.toMatchObject({ code: 'ERR_INDEX_OUT_OF_RANGE' });
  });
});

describe('errors of execution', () => {
  it('reach the next read of everything that depends on them, and the device goes on', async () => {
    const ids = tensor(Int32Array.of(0, 99));
    const embedded = ops.embedding(ids, randn([4, 3]));
    const dependent = embedded.tanh().sum();
    await expect(dependent.item()).rejects.toMatchObject({ code: 'ERR_INDEX_OUT_OF_RANGE' });
    await expect(embedded.data()).rejects.toThrow(/99/);
    expect(() => dependent.itemSync()).toThrow(CudnnGruError);
    expect(await tensor([1, 2]).sum().item()).toBe(3);
  });

  it('running out of memory names the sizes and leaves the device usable', async () => {
    const column = tensor(new Float32Array(1 << 20).fill(1), [1 << 20, 1]);
    const row = tensor(new Float32Array(1 << 20).fill(1), [1, 1 << 20]);
    const impossible = column.mul(row); // 4 TiB
    await expect(impossible.sum().item()).rejects.toMatchObject({ code: 'ERR_OUT_OF_MEMORY' });
    await expect(impossible.slice(0, 0, 1).data()).rejects.toThrow(/\d/);
    expect(await column.sum().item()).toBe(1 << 20);
  });

  it('a model survives a training step that failed', async () => {
    const layer = new Linear({ inputSize: 3, outputSize: 2 });
    const optimizer = new Adam(layer.parameters());
    const before = await layer.weight.data();
    const bad = losses.crossEntropy(layer.forward(randn([2, 3])), tensor(Int32Array.of(0, 5)));
    bad.backward();
    await optimizer.step();
    await expect(bad.item()).rejects.toMatchObject({ code: 'ERR_INDEX_OUT_OF_RANGE' });
    await expect(layer.weight.data()).rejects.toMatchObject({ code: 'ERR_INDEX_OUT_OF_RANGE' });
    expect(await layer.weight.data()).toEqual(before);
    optimizer.zeroGrad();
    await optimizer.report().catch(() => undefined);
    const good = losses.crossEntropy(layer.forward(randn([2, 3])), tensor(Int32Array.of(0, 1)));
    good.backward();
    await optimizer.step();
    expect(Number.isFinite(await good.item())).toBe(true);
    expect(await layer.weight.data()).not.toEqual(before);
    expect((await optimizer.report()).steps).toBe(1);
  });
});

describe('disposed tensors', () => {
  it('are refused with their shape in the message, as often as they are used', async () => {
    const x = tensor([1, 2]);
    x.dispose();
    x.dispose();
    expect(x.disposed).toBe(true);
    for (const use of [() => x.add(1), () => x.detach(), () => x.dataSync(), () => tensor([1]).add(x)]) {
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    }
    await expect(x.data()).rejects.toThrow(/\[2\]/);
  });

  it('may be disposed before backward(): the tape keeps what it needs', async () => {
    const weight = tensor([2, 3], undefined, { requiresGrad: true });
    const x = tensor([4, 5]);
    const product = weight.mul(x);
    const loss = product.tanh().sum();
    product.dispose();
    x.dispose();
    loss.backward();
    const expected = [4 * (1 - Math.tanh(8) ** 2), 5 * (1 - Math.tanh(15) ** 2)];
    const grad = await (weight.grad as Tensor).data();
    for (const [i, value] of expected.entries()) expect(grad[i]).toBeCloseTo(value, 6);
  });

  it('cannot come back to life through a view', () => {
    const x = tensor([1, 2, 3, 4]);
    x.dispose();
    expect(() => x.reshape(2, 2)).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    expect(() => x.transpose(0, 0)).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });

  it('numbers that the graph needs may not be changed before backward()', async () => {
    const weight = tensor([2], undefined, { requiresGrad: true });
    const squared = weight.mul(weight).sum();
    weight.write(Float32Array.of(50));
    expect(() => squared.backward()).toThrow(/mul.*changed in place/);
    const optimizer = new SGD([weight], { learningRate: 1 });
    const [early, late] = [weight.mul(3).sum(), weight.mul(weight).sum()];
    early.backward();
    await optimizer.step();
    expect(() => late.backward()).toThrow(expect.objectContaining({ code: 'ERR_NO_GRADIENT' }));
  });

  it('clone() has memory of its own and lets gradients through', async () => {
    const weight = tensor([2, 3], undefined, { requiresGrad: true });
    const copy = weight.clone();
    copy.mul(copy).sum().backward();
    expect([...((await weight.grad?.data()) ?? [])]).toEqual([4, 6]);
    const detached = weight.detach().clone();
    detached.write(Float32Array.of(7, 7));
    expect([...(await weight.data())]).toEqual([2, 3]);
    expect(detached.requiresGrad).toBe(false);
  });

  it('the graph can be used once', () => {
    const loss = tensor([2], undefined, { requiresGrad: true }).tanh().sum();
    loss.backward();
    expect(() => loss.backward()).toThrow(expect.objectContaining({ code: 'ERR_NO_GRADIENT' }));
  });
});

describe('scope()', () => {
  it('frees everything but what is returned', async () => {
    const made: Tensor[] = [];
    const { kept } = scope(() => {
      const a = tensor([1, 2]);
      const b = a.add(1);
      made.push(a, b);
      return { kept: b.mul(2) };
    });
    expect(made.every((one) => one.disposed)).toBe(true);
    expect([...(await kept.data())]).toEqual([4, 6]);
  });

  it('keeps gradients and optimizer state', async () => {
    const weight = tensor([1, 2], undefined, { requiresGrad: true });
    const optimizer = new Adam([weight], { learningRate: 0.1 });
    scope(() => {
      weight.mul(weight).sum().backward();
      void optimizer.step();
    });
    expect([...((await weight.grad?.data()) ?? [])]).toEqual([2, 4]);
    const first = (await weight.data())[0] as number;
    expect(first).toBeCloseTo(0.9, 5);
  });

  it('nests, and frees when the function throws', () => {
    let inner: Tensor | undefined;
    const outerKept = scope(() => scope(() => tensor([3])));
    expect(outerKept.disposed).toBe(false);
    expect(() =>
      scope(() => {
        inner = tensor([1]);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(inner?.disposed).toBe(true);
  });

  it('refuses asynchronous functions', () => {
    expect(() => scope(async () => tensor([1]))).toThrow(TypeError);
  });
});

describe('crossings into the addon', () => {
  it('a classifier takes at most 20 for a training step and 3 for an inference call of a GRU', async () => {
    const gru = new GRU({ inputSize: 8, hiddenSize: 16, numLayers: 2 });
    const head = new Linear({ inputSize: 16, outputSize: 3 });
    const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { clipNorm: 1 });
    const x = new Float32Array(4 * 10 * 8).fill(0.1);
    const y = Int32Array.of(0, 1, 2, 0);
    const step = async () => {
      scope(() => {
        const { output } = gru.forward(tensor(x, [4, 10, 8]));
        losses.crossEntropy(head.forward(ops.lastStep(output)), tensor(y)).backward();
      });
      await optimizer.step();
      optimizer.zeroGrad();
    };
    await step();
    let before = addon.calls();
    const steps = 50;
    for (let i = 0; i < steps; i++) await step();
    expect((addon.calls() - before - 1) / steps).toBeLessThanOrEqual(20);

    gru.eval();
    await synchronize();
    before = addon.calls();
    for (let i = 0; i < steps; i++) {
      const { hidden } = noGrad(() => gru.forward(tensor(x, [4, 10, 8])));
      await hidden.data();
    }
    // And now and then one that gives many handles back.
    expect(addon.calls() - before - 1).toBeLessThanOrEqual(3 * steps + 5);
  });
});
