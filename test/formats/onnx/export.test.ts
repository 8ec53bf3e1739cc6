import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../../lib/formats/byte_source.js';
import { decodeModel } from '../../../lib/formats/onnx/decode.js';
import {
  type ExportOnnxOptions,
  exportOnnx,
  GRU,
  GRUCell,
  importOnnx,
  Linear,
  Module,
  noGrad,
  type OnnxModel,
  ops,
  randn,
  Sequential,
  type Tensor,
  tensor,
  zeros,
} from '../../../lib/index.js';
import { expectClose, peerFile } from '../peer_file.js';
import { temporaryFolder } from '../temporary_folder.js';
import { type ExportCase, exportCases, ids, outputsOf } from './exported.js';

const path = temporaryFolder();

/** Exports the model, imports the file, and compares both. */
async function expectSame(one: ExportCase, tolerance = 5e-6): Promise<OnnxModel> {
  await exportOnnx(path('model.onnx'), one.model, one.options);
  const imported = await importOnnx(path('model.onnx'));
  one.model.eval();
  const expected = noGrad(() => outputsOf(one));
  const found = noGrad(() => imported.run(one.inputs));
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected)) await expectClose(found[name] as Tensor, value, tolerance);
  return imported;
}

describe('the file gives what the model gives, for other sizes than those it was traced with', () => {
  it.each(exportCases().map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const imported = await expectSame(one);
    expect(imported.parameters().length).toBeGreaterThan(0);
  });
});

describe('code of users', () => {
  it('rows without a step', async () => {
    const one = exportCases().at(-1) as ExportCase;
    await expectSame({ ...one, inputs: { ...one.inputs, lengths: Int32Array.of(0, 1, 0, 2, 5) } });
  });

  it('tied weights are one parameter, and the model is left as it was', async () => {
    const one = exportCases().at(-1) as ExportCase;
    one.model.train();
    await exportOnnx(path('tied.onnx'), one.model, one.options);
    const names = Array.from((await importOnnx(path('tied.onnx'))).weights.namedParameters(), ([name]) => name);
    expect(names.filter((name) => /weight/.test(name))).toEqual(['embedding.weight']);
    expect(one.model.training).toBe(true);
    for (const [, child] of one.model.children()) expect(Object.hasOwn(child, 'forward')).toBe(false);
  });

  it('an imported model, again', async () => {
    for (const name of ['torch_packed_bi_legacy', 'keras2_bi_gru_dense_reset_after', 'torch_embedding_head_dynamo']) {
      const model = await importOnnx(peerFile(`onnx_${name}.onnx`));
      await exportOnnx(path('again.onnx'), model);
      const again = await importOnnx(path('again.onnx'));
      expect([again.inputNames, again.outputNames]).toEqual([model.inputNames, model.outputNames]);
      const inputs = Object.fromEntries(
        model.graph.inputs.map(({ name: input, shape }) => {
          if (shape?.length === 1) return [input, Int32Array.of(4, 6)];
          return [input, shape?.length === 2 ? ids(2, 6) : randn([2, 6, shape?.[2] as number])];
        }),
      );
      const outputs = noGrad(() => model.run(inputs));
      const found = noGrad(() => again.run(inputs));
      for (const output of model.outputNames) await expectClose(found[output] as Tensor, outputs[output], 2e-6);
    }
  });

  it('a loop over the time, with the time as a number', async () => {
    class Loop extends Module {
      readonly cell = new GRUCell({ inputSize: 3, hiddenSize: 4 });
      forward(x: Tensor): Tensor {
        let hidden: Tensor | null = null;
        for (let step = 0; step < (x.shape[1] as number); step++) {
          hidden = this.cell.forward(x.slice(1, step, step + 1).reshape(-1, 3), hidden);
        }
        return hidden as Tensor;
      }
    }
    const model = new Loop();
    await expectSame({
      name: 'loop',
      model,
      inputs: { x: randn([7, 4, 3]) },
      options: { inputs: { x: { shape: ['batch', 4, 3] } } },
    });
    const open = exportOnnx(path('loop.onnx'), model, { inputs: { x: { shape: ['batch', 'time', 3] } } });
    await expect(open).rejects.toThrow(/other operations for other sizes.*numbers in `inputs`/);
  });
});

describe('the file', () => {
  it('has one node for each layer of a GRU, open sizes by name, and the same bytes each time', async () => {
    const gru = new GRU({ inputSize: 3, hiddenSize: 4, numLayers: 2 });
    await exportOnnx(path('gru.onnx'), gru);
    const bytes = readFileSync(path('gru.onnx'));
    const { graph, opset_import } = await decodeModel(new MemorySource(bytes));
    expect(opset_import).toEqual([{ domain: '', version: 17 }]);
    expect(graph?.node.filter(({ op_type }) => op_type === 'GRU').length).toBe(2);
    expect(graph?.input[0]?.type?.tensor_type?.shape?.dim).toEqual([
      { dim_param: 'batch' },
      { dim_param: 'time' },
      { dim_value: 3 },
    ]);
    expect(graph?.output.map(({ name }) => name)).toEqual(['output', 'hidden']);
    await exportOnnx(path('gru.onnx'), gru);
    expect(readFileSync(path('gru.onnx')).equals(bytes)).toBe(true);
  });
});

describe('what has no ONNX form is refused by operation and layer', () => {
  class Wrapped extends Module {
    readonly inner = new Linear({ inputSize: 3, outputSize: 3 });
    readonly gru = new GRU({ inputSize: 3, hiddenSize: 3 });
    constructor(readonly run: (model: Wrapped, x: Tensor) => unknown) {
      super();
    }
    forward(x: Tensor) {
      return this.run(this, x);
    }
  }
  const inputs = { x: { shape: ['batch', 'time', 3] } };
  const attempt = (run: (model: Wrapped, x: Tensor) => unknown) =>
    exportOnnx(path('refused.onnx'), new Wrapped(run), { inputs });

  it('quantized GRUs', async () => {
    const model = new Sequential(new GRU({ inputSize: 3, hiddenSize: 4 }), new Linear({ inputSize: 4, outputSize: 1 }));
    await expect(exportOnnx(path('refused.onnx'), model.quantize('int8'))).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringMatching(/gruQuantized, in layer "0".*export the model it was made from/),
    });
  });

  it.each<[string, (model: Wrapped, x: Tensor) => unknown, RegExp]>([
    ['dropout that always acts', (_, x) => ops.dropout(x, 0.5), /dropout, in the model itself/],
    [
      'weights that are calculated',
      ({ gru }, x) => gruWith(gru, x),
      /gru, in the model itself.*weights are calculated/,
    ],
    [
      'lengths that are calculated',
      ({ gru }, x) => gru.forward(x, { lengths: someLengths(x) }),
      /gru, in layer "gru".*lengths/,
    ],
    [
      'numbers that differ each time',
      ({ inner }, x) => inner.forward(x).add(randn([3])),
      /add, in the model itself.*makes anew/,
    ],
    ['numbers read back', (_, x) => x.mul(tensor(x.dataSync().slice(0, 1))), /mul, in the model itself/],
    [
      'sizes beyond multiples',
      (_, x) => x.slice(1, 0, Math.floor(Math.sqrt(x.shape[1] as number))),
      /slice.*depends on the sizes/,
    ],
    ['an answer that is no tensor', () => 'text', /something else than tensors/],
    ['an answer without the inputs', () => zeros([2]), /"output" depends on none/],
  ])('%s', async (_, run, reason) => {
    await expect(attempt(run)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringMatching(reason),
    });
  });

  it('a model that does not say what it reads', async () => {
    class Silent extends Module {
      forward(x: Tensor) {
        return x;
      }
    }
    await expect(exportOnnx(path('refused.onnx'), new Silent())).rejects.toThrow(/Silent does not say what it reads/);
  });

  it('arguments of the wrong kind', async () => {
    const linear = new Linear({ inputSize: 2, outputSize: 2 });
    const wrong = (options: unknown) => exportOnnx(path('refused.onnx'), linear, options as ExportOnnxOptions);
    await expect(exportOnnx('', linear)).rejects.toThrow(RangeError);
    await expect(exportOnnx(path('refused.onnx'), 3 as never)).rejects.toThrow(TypeError);
    await expect(wrong({ input: {} })).rejects.toThrow(/did you mean "inputs"/);
    await expect(wrong({ inputs: { x: { shape: 3 } } })).rejects.toThrow(/inputs\["x"\]\.shape/);
    await expect(wrong({ inputs: { x: { shape: [0] } } })).rejects.toThrow(RangeError);
    await expect(wrong({ inputs: { x: { shape: [1, 2], type: 'lengths' } } })).rejects.toThrow(/one axis/);
    await expect(wrong({ forward: 3 })).rejects.toThrow(TypeError);
  });
});

function someLengths(x: Tensor): number[] {
  return Array.from({ length: x.shape[0] as number }, () => 1);
}

function gruWith(gru: GRU, x: Tensor) {
  return ops.gru(
    x,
    Array.from(gru.parameters(), (weight) => weight.mul(2)),
  );
}
