import { checkOptions, checkString } from '../../arguments.js';
import type { DeviceName } from '../../tensor/device.js';
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
