import { importOnnx, noGrad, type OnnxInput, type OnnxModel, type Tensor } from '../../../lib/index.js';
import { expectClose, expectedTensors, peerFile } from '../peer_file.js';

/** What the framework was given, by the names of the model's inputs: lengths as the array that they are on the host. */
export async function inputsOf(model: OnnxModel, name: string): Promise<Record<string, OnnxInput>> {
  const tensors = await expectedTensors(name);
  const inputs: Record<string, OnnxInput> = {};
  for (const [index, input] of model.inputNames.entries()) {
    const given = tensors[`input${index}`] as Tensor;
    inputs[input] = given.dtype === 'int32' && given.rank === 1 ? await given.data() : given;
  }
  return inputs;
}

/** Runs the model on what the framework was given and compares the outputs. */
export async function expectOutputs(model: OnnxModel, name: string, tolerance = 2e-6): Promise<void> {
  const inputs = await inputsOf(model, name);
  const tensors = await expectedTensors(name);
  const outputs = noGrad(() => model.run(inputs));
  for (const [index, name] of model.outputNames.entries()) {
    await expectClose(outputs[name] as Tensor, tensors[`output${index}`], tolerance);
  }
}

/** Imports a peer's model and compares its outputs with the peer's. */
export async function expectPeersOutputs(name: string): Promise<OnnxModel> {
  const model = await importOnnx(peerFile(name));
  await expectOutputs(model, name);
  return model;
}
