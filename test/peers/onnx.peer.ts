import { beforeAll, describe, expect, it } from 'vitest';
import {
  exportOnnx,
  importOnnx,
  loadSafetensors,
  noGrad,
  type OnnxInput,
  type OnnxModel,
  saveSafetensors,
  Tensor,
  tensor,
} from '../../lib/index.js';
import { exportCases, outputsOf } from '../formats/onnx/exported.js';
import { expectClose } from '../formats/peer_file.js';
import { folder, inFolder, python } from './python.js';

const made = python('onnx_peer.py', 'make', folder) as string[];

/** What PyTorch was given: lengths as the array that they are on the host. */
async function givenTo(model: OnnxModel, record: Record<string, Tensor>): Promise<Record<string, OnnxInput>> {
  const inputs: Record<string, OnnxInput> = {};
  for (const name of model.inputNames) {
    const value = record[name] as Tensor;
    inputs[name] = value.dtype === 'int32' && value.rank === 1 ? await value.data() : value;
  }
  return inputs;
}

describe('PyTorch exports, and gets the same outputs and gradients here', () => {
  it.each(made)('%s', async (name) => {
    const model = await importOnnx(inFolder(`${name}.onnx`));
    const record = await loadSafetensors(inFolder(`${name}.safetensors`));
    const named = model.run(await givenTo(model, record));
    const outputs = model.outputNames.map((output) => named[output] as Tensor);
    for (const [index, output] of outputs.entries()) {
      await expectClose(output, record[`output${index}`]);
    }
    const [first] = outputs as [Tensor];
    first.mul(first).sum().backward();
    let compared = 0;
    for (const [key, parameter] of model.weights.namedParameters()) {
      const expected = record[`grad.${key}`];
      if (!expected) continue;
      await expectClose(parameter.grad as Tensor, expected, 1e-4);
      compared += 1;
    }
    // The new exporter folds what it can into weights of other names; the old one keeps the embedding's.
    if (/^(head|shared).*_old$/.test(name)) expect(compared).toBeGreaterThan(0);
    for (const layer of model.layers) {
      for (const [key, parameter] of layer.namedParameters()) expect(parameter.grad, key).not.toBeNull();
    }
  });
});

describe('onnxruntime runs what we export', () => {
  const cases = exportCases();

  beforeAll(async () => {
    for (const [index, { model, inputs, options }] of cases.entries()) {
      await exportOnnx(inFolder(`${index}.export.onnx`), model, options);
      const record = Object.entries(inputs).map(([name, value]) => [
        name,
        value instanceof Tensor ? value : tensor(Int32Array.from(value)),
      ]);
      await saveSafetensors(inFolder(`${index}.inputs.safetensors`), Object.fromEntries(record));
    }
    // onnx.checker has seen every file.
    expect(python('onnx_peer.py', 'check', folder)).toHaveLength(cases.length);
  });

  it.each(cases.map(({ name }, index) => [name, index] as const))('%s', async (_, index) => {
    const one = cases[index] as (typeof cases)[number];
    one.model.eval();
    const ours = noGrad(() => outputsOf(one));
    const theirs = await loadSafetensors(inFolder(`${index}.outputs.safetensors`));
    expect(Object.keys(theirs).sort()).toEqual(Object.keys(ours).sort());
    for (const [name, output] of Object.entries(ours)) await expectClose(output, theirs[name]);
  });
});
