import { describe, expect, it } from 'vitest';
import { GRU, GRUCell, type GRUOptions, noGrad, ops, SGD, type StateDict, type Tensor } from '../../lib/index.js';
import { Array64, item, range } from '../reference/array64.js';
import { type GoldenCase, golden } from '../reference/golden.js';
import { type Backend, expectSame, gradientOf, onDevice } from './backend.js';
import { expectNear, expectSameBits, random32 } from './checks.js';

/** The layer above `ops.gru`: PyTorch's parameter names, all weights in one block of memory, weights that change. */
export function run(backend: Backend): void {
  const { device } = backend;

  /** The layer of a golden case, with its parameters. */
  async function layerOf(c: GoldenCase): Promise<GRU> {
    const { L, bi, bias, I, H } = c.settings;
    const layer = new GRU({
      inputSize: Number(I),
      hiddenSize: Number(H),
      numLayers: Number(L),
      bidirectional: bi === 1,
      bias: bias !== 0,
      timeMajor: true,
      device,
    });
    const record: StateDict = {};
    for (const [name] of layer.namedParameters()) {
      const { shape, data } = c.get(name);
      record[name] = { shape, data: Float32Array.from(data) };
    }
    await layer.loadStateDict(record);
    return layer;
  }

  it.each(golden('gru').cases.map((c) => [c.name, c] as const))('golden values by parameter name: %s', async (_, c) => {
    const layer = await layerOf(c);
    const x = onDevice(backend, c.get('x'), true);
    const initialHidden = onDevice(backend, c.get('h0'), true);
    const lengths = c.has('lengths') ? c.integers('lengths') : null;
    const { output, hidden } = layer.forward(x, { initialHidden, lengths });
    expectNear(await output.data(), c.get('y'), 'accumulated', 'output');
    expectNear(await hidden.data(), c.get('hn'), 'accumulated', 'hidden');
    const weighted = (tensor: Tensor, grad: string) => ops.sum(ops.mul(tensor, onDevice(backend, c.get(grad))));
    ops.add(weighted(output, 'dy'), weighted(hidden, 'dhn')).backward();
    expectNear(await gradientOf(x, 'x'), c.get('dx'), 'accumulated', 'gradient of x');
    expectNear(await gradientOf(initialHidden, 'h0'), c.get('dh0'), 'accumulated', 'gradient of initialHidden');
    for (const [name, parameter] of layer.namedParameters()) {
      expectNear(await gradientOf(parameter, name), c.get(`grad.${name}`), 'accumulated', `gradient of ${name}`);
    }
  });

  it('weights that layers share get the sum of their gradients', async () => {
    const shared = new GRU({ inputSize: 4, hiddenSize: 4, device }).parameters();
    const copies = await Promise.all(
      [...shared, ...shared].map(async (weight) =>
        onDevice(backend, { shape: [...weight.shape], data: Float64Array.from(await weight.data()) } as never, true),
      ),
    );
    const x = onDevice(backend, random32(5, [3, 6, 4]));
    ops
      .gru(x, [...shared, ...shared], { numLayers: 2 })
      .output.sum()
      .backward();
    ops.gru(x, copies, { numLayers: 2 }).output.sum().backward();
    for (const [index, weight] of shared.entries()) {
      const tied = await gradientOf(weight, 'tied');
      const first = await gradientOf(item(copies, index), 'first');
      const second = await gradientOf(item(copies, index + shared.length), 'second');
      for (const [i, value] of Array.from(tied).entries()) {
        expect(value).toBeCloseTo((first[i] as number) + (second[i] as number), 4);
      }
    }
  });

  describe('weights that change in place are seen by the next call', () => {
    const options: GRUOptions = { inputSize: 5, hiddenSize: 19, numLayers: 2, bidirectional: true, device };
    const x = random32(1, [3, 4, 5]);
    const outputOf = (layer: GRU) => noGrad(() => layer.forward(onDevice(backend, x)).output.data());

    /** A new layer with the same numbers, which cannot have kept anything. */
    async function copyOf(layer: GRU): Promise<GRU> {
      const copy = new GRU(options);
      await copy.loadStateDict(await layer.stateDict());
      return copy;
    }

    it('by write and loadStateDict', async () => {
      const layer = new GRU(options);
      const before = await outputOf(layer);
      for (const name of ['weight_ih_l0', 'weight_hh_l0_reverse', 'bias_hh_l1', 'weight_ih_l1_reverse']) {
        const parameter = new Map(layer.namedParameters()).get(name) as Tensor;
        parameter.write(Float32Array.from(random32(name.length, parameter.shape).data));
        const after = await outputOf(layer);
        expect([...after]).not.toEqual([...before]);
        expectSameBits(after, await outputOf(await copyOf(layer)), name);
      }
      await layer.loadStateDict(await new GRU(options).stateDict());
      expectSameBits(await outputOf(layer), await outputOf(await copyOf(layer)), 'loadStateDict');
    });

    it('by the steps of an optimizer', async () => {
      const layer = new GRU(options);
      const optimizer = new SGD(layer.parameters(), { learningRate: 0.5 });
      let before = await outputOf(layer);
      for (const step of range(3)) {
        optimizer.zeroGrad();
        ops.sum(layer.forward(onDevice(backend, x)).output).backward();
        await optimizer.step();
        const after = await outputOf(layer);
        expect([...after]).not.toEqual([...before]);
        expectSameBits(after, await outputOf(await copyOf(layer)), `step ${step}`);
        before = after;
      }
    });

    it('while calls with the old weights still wait in the queue', async () => {
      const layer = new GRU(options);
      const first = noGrad(() => layer.forward(onDevice(backend, x)).output);
      const old = await copyOf(layer);
      const queued = range(5).map((i) => {
        const output = noGrad(() => layer.forward(onDevice(backend, x)).output);
        for (const parameter of layer.parameters())
          parameter.write(Float32Array.from(random32(i, parameter.shape).data));
        return output;
      });
      expectSameBits(await first.data(), await outputOf(old), 'before the first change');
      expectSameBits(await item(queued, 0).data(), await first.data(), 'queued before the first change');
      expectSameBits(await outputOf(layer), await outputOf(await copyOf(layer)), 'after the last change');
    });
  });

  it('dropout acts in training alone', async () => {
    const layer = new GRU({ inputSize: 4, hiddenSize: 8, numLayers: 2, dropout: 0.5, device });
    const x = onDevice(backend, random32(1, [2, 3, 4]));
    const outputs = async () => [...(await layer.forward(x).output.data())];
    expect(await outputs()).not.toEqual(await outputs());
    layer.eval();
    expect(await outputs()).toEqual(await outputs());
  });

  it('a cell called step by step gives what the layer gives', async () => {
    for (const variant of ['resetAfter', 'resetBefore'] as const) {
      const layer = new GRU({ inputSize: 3, hiddenSize: 17, variant, device });
      const cell = new GRUCell({ inputSize: 3, hiddenSize: 17, variant, device });
      const state = await layer.stateDict();
      await cell.loadStateDict(
        Object.fromEntries(Object.entries(state).map(([name, value]) => [name.replace('_l0', ''), value])),
      );
      const x = onDevice(backend, random32(1, [2, 5, 3]));
      const { output } = layer.forward(x);
      let hidden: Tensor | null = null;
      for (const t of range(5)) {
        hidden = cell.forward(ops.slice(x, 1, t, t + 1).reshape(2, 3), hidden);
        const expected = new Array64([2, 17], await ops.slice(output, 1, t, t + 1).data());
        expectSame(backend, await hidden.data(), expected, `${variant}, step ${t}`);
      }
    }
  });
}
