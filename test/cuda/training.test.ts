import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DeviceName } from '../../lib/index.js';
import { collectGarbage } from '../lifetime/collect.js';
import { root } from '../package/helpers.js';
import { item } from '../reference/array64.js';
import { random32, randomIntegers } from '../suites/checks.js';
import { emulated, reason, title } from './gpu.js';

const {
  Adam,
  devices,
  GRU,
  Generator,
  Linear,
  loadModel,
  losses,
  noGrad,
  ops,
  saveModel,
  scope,
  setSeed,
  synchronize,
  tensor,
} = await import('../../lib/index.js');

const sizes = { batch: 8, time: 6, inputSize: 3, classes: 4 };

/** A classifier with dropout between its layers, its data, and one step of training. */
function classifier(device: DeviceName) {
  const { batch, time, inputSize, classes } = sizes;
  setSeed(11);
  const gru = new GRU({ inputSize, hiddenSize: 8, numLayers: 2, dropout: 0.3, device, generator: new Generator(5) });
  const head = new Linear({ inputSize: 8, outputSize: classes, device });
  const optimizer = new Adam([...gru.parameters(), ...head.parameters()], { learningRate: 1e-3, clipNorm: 1 });
  const x = tensor(Float32Array.from(random32(1, [batch, time, inputSize]).data), [batch, time, inputSize], { device });
  const y = tensor(Int32Array.from(randomIntegers(2, batch, classes)), [batch], { device });
  const step = async () => {
    const loss = scope(() => {
      const loss = losses.crossEntropy(head.forward(ops.lastStep(gru.forward(x).output)), y);
      loss.backward();
      return loss;
    });
    await optimizer.step();
    optimizer.zeroGrad();
    return loss;
  };
  return { gru, head, x, step };
}

async function curve(device: DeviceName, steps: number): Promise<number[]> {
  const { step } = classifier(device);
  const values: number[] = [];
  for (let i = 0; i < steps; i++) {
    const loss = await step();
    values.push(await loss.item());
    loss.dispose();
  }
  return values;
}

describe.skipIf(reason !== '')(title('training'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'cudnn-gru-cuda-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('200 steps of Adam with one seed and its dropout masks: the losses of the CPU, and the same bits twice', async () => {
    const [cpu, cuda, again] = [await curve('cpu', 200), await curve('cuda', 200), await curve('cuda', 200)];
    expect(again).toEqual(cuda);
    expect(item(cpu, 199)).toBeLessThan(item(cpu, 0));
    const worst = cpu.reduce((most, loss, i) => Math.max(most, Math.abs(item(cuda, i) - loss) / loss), 0);
    expect(worst).toBeLessThan(1e-3);
  }, 300_000);

  it('memory does not grow over many steps', async () => {
    const { step } = classifier('cuda');
    const inUse = async () => {
      await collectGarbage(); // of the tests before, too
      await synchronize('cuda');
      return devices().find(({ name }) => name === 'cuda:0')?.memory ?? { bytesInUse: Number.NaN, peakBytes: 0 };
    };
    const steps = async (count: number) => {
      for (let i = 0; i < count; i++) (await step()).dispose();
    };
    await steps(20);
    const before = await inUse();
    await steps(emulated ? 200 : 10_000);
    const after = await inUse();
    expect(after.bytesInUse).toBe(before.bytesInUse);
    // How many steps are queued at once varies.
    expect(after.peakBytes).toBeLessThan(2 * before.peakBytes + 2 ** 20);
  }, 300_000);

  it('a model saved on the GPU is loaded on the CPU, and where no GPU can be used', async () => {
    const { gru, x } = classifier('cuda');
    const file = join(folder, 'model.safetensors');
    await saveModel(file, gru);
    const expected = await noGrad(() => gru.eval().forward(x)).output.data();
    const loaded = await loadModel<InstanceType<typeof GRU>>(file);
    expect(loaded.weight_ih_l0?.device).toBe('cpu');
    const actual = await noGrad(() => loaded.forward(x.to('cpu'))).output.data();
    for (const [i, value] of expected.entries()) expect(item(actual, i)).toBeCloseTo(value, 5);
    const script = `
      import { devices, loadModel } from './dist/index.js';
      const model = await loadModel(${JSON.stringify(file)}, { device: 'auto' });
      console.log(model.weight_ih_l0.device, devices().find(({ name }) => name.startsWith('cuda')).reason);`;
    const env = { ...process.env, CUDA_VISIBLE_DEVICES: '' };
    const args = ['--input-type=module', '-e', script];
    const output = execFileSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
    expect(output).toMatch(/^cpu there is no NVIDIA GPU that this process may use \(CUDA_VISIBLE_DEVICES\?\)/);
  });
});
