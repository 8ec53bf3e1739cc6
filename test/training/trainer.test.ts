import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  data,
  type EpochRecord,
  GRU,
  Linear,
  losses,
  type Progress,
  Sequential,
  SGD,
  schedules,
  setSeed,
  type Tensor,
  Trainer,
  tensor,
  zeros,
} from '../../lib/index.js';
import { bitsOf, problem } from './problem.js';

const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-trainer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('Trainer', () => {
  it('learns, and keeps a history', async () => {
    const { trainer } = problem({ epochs: 25 });
    const { history, stopped, steps, skippedSteps } = await trainer.fit();
    expect(stopped).toBe('finished');
    expect(history).toHaveLength(25);
    expect(steps).toBe(25 * 8);
    expect(skippedSteps).toBe(0);
    const [first, last] = [history[0] as EpochRecord, history.at(-1) as EpochRecord];
    expect(first.trainLoss).toBeGreaterThan(0.5);
    expect(last.trainLoss).toBeLessThan(0.5 * first.trainLoss);
    expect(last.validationLoss).toBeLessThan(0.6 * (first.validationLoss as number));
  });

  it('the same seed gives the same bits, another seed others', async () => {
    const run = async (seed: number) => {
      const it = problem({ seed });
      await it.trainer.fit();
      return bitsOf(it);
    };
    const bits = await run(9);
    expect(await run(9)).toBe(bits);
    expect(await run(10)).not.toBe(bits);
  });

  it('two trainings side by side do not disturb each other', async () => {
    const alone = problem();
    await alone.trainer.fit();
    const [one, other] = [problem(), problem({ seed: 77 })];
    await Promise.all([one.trainer.fit(), other.trainer.fit()]);
    expect(await bitsOf(one)).toBe(await bitsOf(alone));
  });

  it('stopped by a signal at any step and resumed, it gives the bits of never stopping', async () => {
    const whole = problem({ schedule: schedules.reduceOnPlateau({ patience: 0 }) });
    const expected = await whole.trainer.fit();
    for (const stopAfter of [1, 5, 8, 9, 21, 40]) {
      const checkpoint = join(folder, `stop-${stopAfter}.safetensors`);
      const abort = new AbortController();
      let step = 0;
      const first = problem({ checkpoint, signal: abort.signal, schedule: schedules.reduceOnPlateau({ patience: 0 }) });
      const { batches } = first;
      const next = batches.next.bind(batches);
      batches.next = () => {
        const batch = next();
        if (batch && ++step === stopAfter) abort.abort();
        return batch;
      };
      expect((await first.trainer.fit()).stopped).toBe('aborted');
      const second = problem({ checkpoint, schedule: schedules.reduceOnPlateau({ patience: 0 }) });
      expect(await second.trainer.canResume()).toBe(true);
      const result = await second.trainer.fit({ resume: true });
      expect(await bitsOf(second), `stopped after step ${stopAfter}`).toBe(await bitsOf(whole));
      expect(result.history.map(({ seconds, ...rest }) => rest)).toEqual(
        expected.history.map(({ seconds, ...rest }) => rest),
      );
      expect(result.bestEpoch).toBe(expected.bestEpoch);
    }
  });

  it('resuming a finished training changes nothing', async () => {
    const checkpoint = join(folder, 'finished.safetensors');
    const first = problem({ checkpoint, epochs: 2, keepBest: false });
    await first.trainer.fit();
    const { mtimeMs } = statSync(checkpoint);
    const again = problem({ checkpoint, epochs: 2, keepBest: false });
    await again.trainer.fit({ resume: true });
    expect(await bitsOf(again)).toBe(await bitsOf(first));
    expect(statSync(checkpoint).mtimeMs).toBe(mtimeMs);
  });

  it('stops when the validation loss no longer falls, and ends with the best parameters', async () => {
    const it = problem({ epochs: 200, patience: 3 });
    const { stopped, history, bestEpoch } = await it.trainer.fit();
    expect(stopped).toBe('patience');
    expect(history.length).toBe(bestEpoch + 3);
    const lowest = Math.min(...history.map(({ validationLoss }) => validationLoss as number));
    expect(history[bestEpoch - 1]?.validationLoss).toBe(lowest);
    it.model.eval();
    let sum = 0;
    let count = 0;
    for (const batch of it.validation) {
      const inputs = tensor(batch.inputs.data as Float32Array, batch.inputs.shape);
      const targets = tensor(batch.targets.data as Int32Array, batch.targets.shape);
      const rows = batch.inputs.shape[0] as number;
      sum += rows * (await losses.crossEntropy(it.model.forward(inputs, batch.lengths), targets).item());
      count += rows;
    }
    expect(sum / count).toBeCloseTo(lowest, 5);
  });

  it('accumulating the gradients of k batches is a step on the batch of them all', async () => {
    const inputs = Float32Array.from({ length: 24 * 5 * 2 }, (_, i) => Math.sin(i));
    const targets = Float32Array.from({ length: 24 * 3 }, (_, i) => Math.cos(i));
    const run = async (batchSize: number, accumulate: number) => {
      const model = new GRU({ inputSize: 2, hiddenSize: 3 });
      await model.loadStateDict(
        Object.fromEntries(
          [...model.namedParameters()].map(([name, p]) => [name, tensor(new Float32Array(p.size).fill(0.1), p.shape)]),
        ),
      );
      const dataset = new data.ArrayDataset({
        inputs: { data: inputs, shape: [24, 5, 2] },
        targets: { data: targets, shape: [24, 3] },
      });
      const trainer = new Trainer({
        model,
        optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
        loss: ({ inputs, targets }) => losses.mse(model.forward(inputs).hidden.reshape(-1, 3), targets),
        data: new data.Batches(dataset, { batchSize }),
        epochs: 2,
        accumulate,
      });
      const { steps } = await trainer.fit();
      expect(steps).toBe(2 * Math.ceil(24 / batchSize / accumulate));
      return model.weight_hh_l0?.data();
    };
    const whole = (await run(24, 1)) as Float32Array;
    const parts = (await run(6, 4)) as Float32Array;
    for (const [i, value] of whole.entries()) expect(parts[i]).toBeCloseTo(value, 6);
  });

  it('truncated backpropagation carries the state from chunk to chunk and nothing else', async () => {
    const series = Float32Array.from({ length: 160 }, (_, i) => Math.sin(i / 5));
    const run = async (truncated: boolean) => {
      const gru = new GRU({ inputSize: 1, hiddenSize: 8 });
      const head = new Linear({ inputSize: 8, outputSize: 1 });
      const seen: (number | null)[] = [];
      const batches = new data.StreamBatches({
        inputs: { data: series, shape: [160, 1] },
        targets: { data: Float32Array.from(series, (_, i) => Math.sin((i + 1) / 5)), shape: [160, 1] },
        streams: 4,
        steps: 10,
      });
      const model = new (class extends (await import('../../lib/index.js')).Module {
        gru = gru;
        head = head;
        forward() {}
      })();
      const trainer = new Trainer({
        model,
        optimizer: new SGD(model.parameters(), { learningRate: 0.05 }),
        loss: ({ inputs, targets, hidden }) => {
          seen.push(hidden ? (hidden.dataSync()[0] as number) : null);
          const { output, hidden: next } = gru.forward(inputs, { initialHidden: truncated ? hidden : null });
          return { loss: losses.mse(head.forward(output), targets), hidden: next };
        },
        data: batches,
        epochs: 3,
      });
      await trainer.fit();
      return seen;
    };
    const seen = await run(true);
    expect(seen).toHaveLength(12);
    // 40 steps a stream are 4 chunks: the first of each epoch starts anew.
    expect(seen.map((value) => value === null)).toEqual([
      true,
      false,
      false,
      false,
      true,
      false,
      false,
      false,
      true,
      false,
      false,
      false,
    ]);
  });

  it('carries the states of two layers, which a checkpoint keeps', async () => {
    const series = Float32Array.from({ length: 120 }, (_, i) => Math.sin(i / 5));
    const make = (checkpoint: string, epochs: number) => {
      setSeed(3);
      const below = new GRU({ inputSize: 1, hiddenSize: 3 });
      const above = new GRU({ inputSize: 3, hiddenSize: 1 });
      const model = new Sequential(below as never, above as never);
      const batches = new data.StreamBatches({
        inputs: { data: series, shape: [120, 1] },
        targets: { data: series, shape: [120, 1] },
        streams: 2,
        steps: 10,
      });
      const carried: number[] = [];
      const abort = new AbortController();
      const trainer = new Trainer<readonly Tensor[]>({
        model,
        optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
        loss: ({ inputs, targets, hidden }) => {
          carried.push(hidden?.length ?? 0);
          if (epochs === 1 && carried.length === 3) abort.abort();
          const one = below.forward(inputs, { initialHidden: hidden?.[0] ?? null });
          const two = above.forward(one.output, { initialHidden: hidden?.[1] ?? null });
          return { loss: losses.mse(two.output, targets), hidden: [one.hidden, two.hidden] };
        },
        data: batches,
        epochs: 2,
        checkpoint,
        signal: abort.signal,
      });
      const bits = async () => JSON.stringify(Object.values(await model.stateDict()).map((p) => Array.from(p.data)));
      return { trainer, carried, bits };
    };
    const whole = make(join(folder, 'states-whole.safetensors'), 2);
    await whole.trainer.fit();
    expect(whole.carried).toEqual([0, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2]);
    const path = join(folder, 'states.safetensors');
    expect((await make(path, 1).trainer.fit()).stopped).toBe('aborted');
    const resumed = make(path, 2);
    await resumed.trainer.fit({ resume: true });
    expect(resumed.carried).toEqual([2, 2, 2, 0, 2, 2, 2, 2, 2]);
    expect(await resumed.bits()).toBe(await whole.bits());
  });

  it('a state may be handed on as it came', async () => {
    const head = new Linear({ inputSize: 1, outputSize: 1 });
    const kept = zeros([1]);
    const trainer = new Trainer({
      model: head,
      optimizer: new SGD(head.parameters()),
      loss: ({ inputs, targets, hidden }) => ({
        loss: losses.mse(head.forward(inputs), targets),
        hidden: hidden ?? kept,
      }),
      data: new data.StreamBatches({
        inputs: { data: new Float32Array(8), shape: [8, 1] },
        targets: { data: new Float32Array(8), shape: [8, 1] },
        streams: 1,
        steps: 2,
      }),
      epochs: 2,
    });
    expect((await trainer.fit()).steps).toBe(8);
  });

  it('refuses a loss function that answers something else', async () => {
    for (const answer of [3, undefined, Promise.resolve(3), zeros([2]), { loss: zeros([1]), hidden: [] }]) {
      await expect(problem({ loss: () => answer as never }).trainer.fit()).rejects.toThrow(/loss\(batch\)/);
    }
    await expect(problem().trainer.fit({ resum: true } as never)).rejects.toThrow(/resume/);
  });

  it('reports progress, without holding the training up', async () => {
    const reports: Progress[] = [];
    const { trainer } = problem({ epochs: 3, onProgress: (progress) => reports.push(progress) });
    await trainer.fit();
    const last = reports.at(-1) as Progress;
    expect(last).toMatchObject({ epoch: 3, epochs: 3, step: 24, steps: 24 });
    expect(last.trainLoss).toBeGreaterThan(0);
    expect(last.sequencesPerSecond).toBeGreaterThan(0);
  });

  it('a loss that stays non-finite ends the training, naming step and parameter; the last good checkpoint stays', async () => {
    const checkpoint = join(folder, 'broken.safetensors');
    const good = problem({ checkpoint, epochs: 1 });
    await good.trainer.fit();
    const { mtimeMs } = statSync(checkpoint);
    const broken = problem({
      checkpoint,
      epochs: 50,
      checkpointEvery: 2,
      loss: () => {
        const { model } = broken;
        return (model.head.weight.sum() as ReturnType<typeof tensor>).mul(tensor([Number.POSITIVE_INFINITY])).sum();
      },
    });
    await expect(broken.trainer.fit({ resume: true })).rejects.toMatchObject({
      code: 'ERR_NON_FINITE',
      message: expect.stringMatching(/step \d+.*head\.weight \(group 0\).*broken\.safetensors/),
    });
    expect(statSync(checkpoint).mtimeMs).toBe(mtimeMs);
    expect(Object.values(await broken.model.stateDict()).every(({ data }) => data.every(Number.isFinite))).toBe(true);
  });

  it('refuses what does not fit, naming the argument', () => {
    expect(() => problem({ epochs: 0 })).toThrow(/epochs/);
    expect(() => problem({ accumulate: 1.5 })).toThrow(/accumulate/);
    expect(() => problem({ data: [] as never })).toThrow(/data/);
    expect(() => problem({ epohcs: 3 } as never)).toThrow(/epochs/);
  });
});
