import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../package/helpers.js';
import { random32 } from '../suites/checks.js';
import { emulated, reason, title } from './gpu.js';

// How the CUDA backend chooses among cuDNN's algorithms. The emulated GPU has a stand-in for cuDNN whose STANDARD is slow
// (test/native/cuda_emulation/cudnn.cc).
const cache = mkdtempSync(join(tmpdir(), 'cudnn-gru-choices-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));
// Read when the device is opened.
process.env.CUDNN_GRU_CACHE = cache;
const { Adam, data, GRU, noGrad, predictRows, Trainer, tensor } = await import('../../lib/index.js');
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

  it('batch prediction and the validation of a training measure predictions, too', async () => {
    const inferences = (sizes: string) =>
      recorded().filter((line) => line.includes('; inference; ') && line.includes(sizes));
    const model = new GRU({ inputSize: 2, hiddenSize: 13, device });
    const rows = Array.from({ length: 3 }, (_, row) => [
      [row, 1],
      [1, row],
    ]);
    const predicted: unknown[] = [];
    for await (const { outputs } of predictRows(model, rows, { devices: [device], batchSize: 4 }))
      predicted.push(outputs);
    expect(predicted).toHaveLength(3);
    expect(inferences('2 to 13;')).toHaveLength(1);

    const other = new GRU({ inputSize: 2, hiddenSize: 14, device });
    const dataset = new data.SequenceDataset({ sequences: rows, targets: [[0], [0], [0]] });
    const trainer = new Trainer({
      model: other,
      optimizer: new Adam(other.parameters(), { learningRate: 1e-3 }),
      loss: ({ inputs }) => other.forward(inputs).output.mean(),
      data: new data.Batches(dataset, { batchSize: 3 }),
      validation: new data.Batches(dataset, { batchSize: 3 }),
      epochs: 1,
    });
    await trainer.fit();
    expect(inferences('2 to 14;')).toHaveLength(1);
  });

  it('tune() measures predictions and trainings of a shape', async () => {
    const gru = new GRU({ inputSize: 4, hiddenSize: 9, numLayers: 2, dropout: 0.5, bidirectional: true, device });
    const shapes = [true, false].flatMap((training) =>
      [true, false].map((lengths) => ({ batch: 3, time: 6, training, lengths })),
    );
    await gru.tune(shapes);
    const own = recorded().filter((line) => line.includes('4 to 9'));
    expect(own).toHaveLength(4);
    // The other algorithms take no lengths.
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

  it.skipIf(!emulated)(
    `an algorithm that computes something else is not chosen${emulated ? '' : ' (skipped: no algorithm of cuDNN does)'}`,
    async () => {
      // More than 192 units: two algorithms are left, and STANDARD is the slower one, unless the machine was busy just then.
      const choices = (sizes: number[]) =>
        Promise.all(
          sizes.map(async (hiddenSize) => {
            const gru = new GRU({ inputSize: 2, hiddenSize, device });
            await gru.tune([{ batch: 1, time: 1, training: false }]);
            return recorded().find((line) => line.includes(`2 to ${hiddenSize};`));
          }),
        );
      expect(await choices([195, 196, 197])).toContainEqual(expect.stringContaining('\tpersistStatic '));
      process.env.CUDNN_GRU_EMULATED_WRONG_ALGORITHM = '1';
      try {
        for (const line of await choices([198, 199, 200])) expect(line).toContain('\tstandard ');
      } finally {
        Reflect.deleteProperty(process.env, 'CUDNN_GRU_EMULATED_WRONG_ALGORITHM');
      }
    },
  );

  it('what is on record and refuses gives way to STANDARD', async () => {
    const gru = new GRU({ inputSize: 3, hiddenSize: 203, device });
    const run = () => noGrad(() => gru.forward(input(2, 4, 3))).output.data();
    gru.algorithm = 'standard';
    const expected = await run();
    await gru.tune([{ batch: 2, time: 4, training: false }]);
    const call = recorded()
      .find((line) => line.includes('3 to 203;'))
      ?.split('\t')[0];
    gru.algorithm = 'auto';
    // Takes 192 units at most.
    addon.followChoices(deviceOf(device).index, [`${call}\tpersistStaticSmallH packed`]);
    expect(await run()).toEqual(expected);
  });

  it('a checkpoint keeps the choice, and a training that is resumed follows it', async () => {
    const checkpoint = join(cache, 'checkpoint.safetensors');
    const train = async (epochs: number, resume: boolean) => {
      const model = new GRU({ inputSize: 6, hiddenSize: 11, device });
      const sequences = Array.from({ length: 4 }, (_, row) => [Array(6).fill(row), Array(6).fill(1)]);
      const dataset = new data.SequenceDataset({ sequences, targets: [[0], [0], [0], [0]] });
      const trainer = new Trainer({
        model,
        optimizer: new Adam(model.parameters(), { learningRate: 1e-3 }),
        loss: ({ inputs }) => model.forward(inputs).output.mul(model.forward(inputs).output).mean(),
        data: new data.Batches(dataset, { batchSize: 4 }),
        epochs,
        checkpoint,
      });
      await trainer.fit({ resume });
      return recorded().find((line) => line.includes('training') && line.includes('6 to 11;')) as string;
    };
    const chosen = await train(1, false);
    const [call, method] = chosen.split('\t') as [string, string];
    const other = method === 'standard packed' ? 'persistStatic packed' : 'standard packed';
    addon.followChoices(deviceOf(device).index, [`${call}\t${other}`]);
    expect(recorded()).not.toContain(chosen);
    expect(await train(2, true)).toBe(chosen);
  });

  it('a later process measures nothing again, and gets the same bits from a seed', () => {
    const own = mkdtempSync(join(tmpdir(), 'cudnn-gru-choices-'));
    const script = `
      import { Adam, GRU, losses, randn, setSeed } from './dist/index.js';
      setSeed(5);
      const device = 'cuda';
      const gru = new GRU({ inputSize: 5, hiddenSize: 16, numLayers: 2, device });
      const optimizer = new Adam(gru.parameters(), { learningRate: 0.01 });
      const [x, target] = [randn([3, 7, 5], { device }), randn([3, 7, 16], { device })];
      for (let i = 0; i < 5; i++) {
        const loss = losses.mse(gru.forward(x).output, target);
        loss.backward();
        await optimizer.step();
        optimizer.zeroGrad();
        console.log(await loss.item());
      }`;
    const env = { ...process.env, CUDNN_GRU_CACHE: own };
    const run = () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, env, encoding: 'utf8' });
    const [first, file] = [run(), readFileSync(join(own, 'gru-methods.tsv'), 'utf8')];
    expect(first.trim().split('\n')).toHaveLength(5);
    expect(run()).toBe(first);
    expect(readFileSync(join(own, 'gru-methods.tsv'), 'utf8')).toBe(file);
    rmSync(own, { recursive: true });
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
