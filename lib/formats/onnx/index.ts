import {
  checkFunction,
  checkInteger,
  checkOneOf,
  checkOptions,
  checkString,
  quote,
  wrongKind,
  wrongRange,
} from '../../arguments.js';
import { Module } from '../../layers/module.js';
import type { DeviceName } from '../../tensor/device.js';
import { defaultInputs } from './default_inputs.js';
import type { OnnxModel } from './onnx_model.js';

export { type OnnxInput, OnnxModel } from './onnx_model.js';

/**
 * Reads a model from an ONNX file (https://onnx.ai), as PyTorch's two exporters, tf2onnx and `exportOnnx` write them: GRU nodes with what is
 * around them. It runs, trains and is saved like any other module; `eval()` has been called. Weights in other files are read from the
 * model's own folder only.
 *
 * @param options device: where the parameters go, default 'cpu'
 * @throws TypeError; CudnnGruError `ERR_FILE`, `ERR_FORMAT`, `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`; `ERR_UNSUPPORTED` naming every
 * operation that this library does not run
 */
export async function importOnnx(path: string, options: { device?: DeviceName | 'auto' } = {}): Promise<OnnxModel> {
  checkOptions(options, 'options', ['device']);
  checkString(path, 'path');
  const { readOnnx } = await import('./import.js');
  return readOnnx(path, options.device ?? 'cpu');
}

/** One input of a model that is exported. */
export interface OnnxInputSpec {
  /** Sizes; a name for each that stays open, the same name for the same size: `['batch', 'time', 6]`. */
  shape: readonly (number | string)[];
  /** 'lengths': valid steps of each row, which `forward` gets as an Int32Array on the host. Default: 'float32'. */
  type?: 'float32' | 'int32' | 'lengths';
}

export interface ExportOnnxOptions {
  /** By name, in the order of `forward`. Default: what the model's `signature()` says, or its first layer wants, with batch and time left open. */
  inputs?: Readonly<Record<string, OnnxInputSpec>>;
  /**
   * Runs the model on inputs by name; gives a tensor, or an object of tensors by output name. Default: `model.forward` with the inputs one after
   * another.
   */
  // biome-ignore lint/suspicious/noExplicitAny: tensors and lengths, as each model has them.
  forward?: (inputs: Record<string, any>) => unknown;
}

/**
 * Writes a model as an ONNX file (operator set 17) that gives the same outputs, for any size that `inputs` leaves open. The model is run a few times
 * on small inputs, and each operation of `ops` that it uses becomes nodes; so `forward` may be any code that does the same operations whatever
 * the sizes. Dropout is left out. Integer inputs are int32. A loop over the time is written out, and needs the time as a number.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_FILE`; `ERR_UNSUPPORTED` naming the operation and the layer that have no ONNX form, among them
 * quantized GRUs
 */
export async function exportOnnx(path: string, model: Module, options: ExportOnnxOptions = {}): Promise<void> {
  checkString(path, 'path');
  if (!(model instanceof Module)) throw wrongKind('model', 'a Module', model);
  checkOptions(options, 'options', ['inputs', 'forward']);
  const { inputs, forward } = options;
  if (inputs !== undefined) checkInputs(inputs);
  if (forward !== undefined) checkFunction(forward, 'forward');
  const own = inputs ? undefined : defaultInputs(model);
  const run = forward ?? own?.forward ?? ((given) => model.forward(...(Object.values(given) as never[])));
  const { writeOnnx } = await import('./export.js');
  await writeOnnx(path, model, { inputs: inputs ?? own?.inputs ?? {}, forward: run });
}

function checkInputs(inputs: unknown): void {
  if (typeof inputs !== 'object' || inputs === null) throw wrongKind('inputs', 'an object of inputs by name', inputs);
  for (const [name, spec] of Object.entries(inputs as Record<string, OnnxInputSpec>)) {
    const what = `inputs[${quote(name)}]`;
    checkOptions(spec, what, ['shape', 'type']);
    const { shape, type } = spec;
    if (!Array.isArray(shape)) throw wrongKind(`${what}.shape`, 'an array of sizes and names', shape);
    for (const size of shape) {
      if (typeof size === 'string') checkString(size, `${what}.shape`);
      else checkInteger(size, `${what}.shape`, { min: 1 });
    }
    const kind = checkOneOf(type ?? 'float32', `${what}.type`, ['float32', 'int32', 'lengths']);
    if (kind === 'lengths' && shape.length !== 1) throw wrongRange(`${what}.shape`, 'one axis', shape);
  }
}
