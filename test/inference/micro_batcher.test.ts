import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MicroBatcher } from '../../lib/inference/micro_batcher.js';

interface Item {
  id: number;
  rows: number;
  key: string;
}
const item = (id: number, rows = 1, key = 'a'): Item => ({ id, rows, key });

/** A batcher over a device that computes one batch at a time, each when the test says so. */
function batcherOf(options: { maxBatch?: number; maxWait?: number; maxQueue?: number } = {}) {
  const batches: { ids: number[]; finish(): void; fail(error: Error): void }[] = [];
  const batcher = new MicroBatcher<Item, string>({
    run: (items) =>
      new Promise((resolve, reject) => {
        const ids = items.map(({ id }) => id);
        batches.push({ ids, finish: () => resolve(ids.map((id) => `answer ${id}`)), fail: reject });
      }),
    rows: ({ rows }) => rows,
    key: ({ key }) => key,
    maxBatch: 4,
    maxWait: 60_000,
    maxQueue: 100,
    ...options,
  });
  return { batcher, batches, started: () => batches.map(({ ids }) => ids) };
}
// One turn of the event loop, in which what is due is started.
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('MicroBatcher', () => {
  it('does not wait when nothing is computed', async () => {
    const { batcher, batches, started } = batcherOf();
    const answer = batcher.submit(item(1));
    await turn();
    expect(started()).toEqual([[1]]);
    batches[0]?.finish();
    expect(await answer).toBe('answer 1');
  });

  it('takes what came in the same turn together, and what comes later when the first is done', async () => {
    const { batcher, batches, started } = batcherOf();
    const answers = [1, 2].map((id) => batcher.submit(item(id)));
    await turn();
    answers.push(...[3, 4, 5].map((id) => batcher.submit(item(id))));
    await turn();
    expect(started()).toEqual([[1, 2]]);
    expect(batcher.queued).toBe(3);
    batches[0]?.finish();
    await turn();
    expect(started()).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    batches[1]?.finish();
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5].map((id) => `answer ${id}`));
  });

  it('a full batch goes to the device before the one there is done, but no third one', async () => {
    const { batcher, started } = batcherOf();
    void batcher.submit(item(0));
    await turn();
    for (let id = 1; id <= 9; id++) void batcher.submit(item(id));
    await turn();
    expect(started()).toEqual([[0], [1, 2, 3, 4]]);
    expect(batcher.queued).toBe(5);
  });

  it('holds an item back for maxWait at most', async () => {
    const { batcher, started } = batcherOf({ maxWait: 20 });
    void batcher.submit(item(0));
    await turn();
    const since = performance.now();
    void batcher.submit(item(1));
    while (started().length < 2) await sleep(1);
    // Timers count whole milliseconds.
    expect(performance.now() - since).toBeGreaterThanOrEqual(19);
    expect(started()).toEqual([[0], [1]]);
  });

  it('counts rows, computes larger items alone and never mixes keys', async () => {
    const { batcher, batches, started } = batcherOf();
    const items = [item(1, 3), item(2, 1, 'b'), item(3, 1), item(4, 1), item(5, 9), item(6, 1)];
    const answers = items.map((each) => batcher.submit(each));
    await turn();
    for (let i = 0; i < 10; i++) {
      batches[i]?.finish();
      await turn();
    }
    expect(started()).toEqual([[1, 3], [2], [4], [5], [6]]);
    expect(await Promise.all(answers)).toEqual(items.map(({ id }) => `answer ${id}`));
  });

  it('refuses more than maxQueue, and takes more when there is room', async () => {
    const { batcher, batches } = batcherOf({ maxQueue: 2 });
    void batcher.submit(item(0));
    await turn();
    void batcher.submit(item(1));
    void batcher.submit(item(2));
    await expect(batcher.submit(item(3))).rejects.toMatchObject({ code: 'ERR_BUSY' });
    batches[0]?.finish();
    await turn();
    void batcher.submit(item(4));
    expect(batcher.queued).toBe(1);
  });

  it('gives an aborted item up: it is not computed, and its place is free', async () => {
    const { batcher, batches, started } = batcherOf({ maxQueue: 1 });
    const running = new AbortController();
    const early = batcher.submit(item(0), running.signal);
    await turn();
    const waiting = new AbortController();
    const late = batcher.submit(item(1), waiting.signal);
    waiting.abort(new Error('gone'));
    running.abort(new Error('gone'));
    await expect(late).rejects.toThrow('gone');
    await expect(early).rejects.toThrow('gone');
    const next = batcher.submit(item(2));
    batches[0]?.finish();
    await turn();
    batches[1]?.finish();
    expect(await next).toBe('answer 2');
    expect(started()).toEqual([[0], [2]]);
    await expect(batcher.submit(item(3), AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  it('one item that fails takes no other with it', async () => {
    const batcher = new MicroBatcher<Item, number>({
      async run(items) {
        if (items.some(({ id }) => id === 2)) throw new Error('two');
        return items.map(({ id }) => id);
      },
      rows: () => 1,
      key: () => '',
      maxBatch: 8,
      maxWait: 0,
      maxQueue: 8,
    });
    const answers = await Promise.allSettled([1, 2, 3].map((id) => batcher.submit(item(id))));
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : String(answer.reason)))).toEqual([
      1,
      'Error: two',
      3,
    ]);
    expect(await batcher.submit(item(4))).toBe(4);
  });
});
