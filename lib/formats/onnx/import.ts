import { CudnnGruError } from '../../errors.js';
import { type DeviceName, deviceOf, withDefaultDevice } from '../../tensor/device.js';
import { type ByteSource, FileSource, naming } from '../byte_source.js';
import { decodeModel } from './decode.js';
import { GraphImporter } from './graph_importer.js';
import { OnnxModel } from './onnx_model.js';
import type { GraphProto, ModelProto } from './schema.js';
import { TensorReader } from './tensors.js';

// protobuf's own limit
const mostBytes = 2 ** 31 - 1;

/** @internal See `importOnnx`. */
export async function readOnnx(path: string, device: DeviceName | 'auto'): Promise<OnnxModel> {
  deviceOf(device);
  const file = await FileSource.open(path);
  const tensors = new TensorReader(path);
  try {
    return await naming(path, () => modelFrom(file, tensors, device));
  } finally {
    await tensors.close();
    await file.close();
  }
}

/** @internal The model of a file. @param tensors for what lies beside it */
export async function modelFrom(
  file: ByteSource,
  tensors: TensorReader,
  device: DeviceName | 'auto' = 'cpu',
): Promise<OnnxModel> {
  if (file.size > mostBytes) throw new CudnnGruError('ERR_UNSUPPORTED', 'the file is larger than the 2 GB of ONNX');
  const { graph, opset } = checkModel(await decodeModel(file));
  try {
    const importer = await GraphImporter.convert(graph, opset, tensors);
    const model = withDefaultDevice(device, () => new OnnxModel(importer.graph()));
    await importer.writeInto(model);
    return model.eval();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new CudnnGruError('ERR_FORMAT', `not a valid ONNX graph: ${error.message}`, { cause: error });
  }
}

function checkModel(proto: ModelProto): { graph: GraphProto; opset: number } {
  const { graph } = proto;
  if (!graph || graph.output.length === 0) {
    throw new CudnnGruError('ERR_FORMAT', 'not a valid ONNX file: it holds no graph with outputs');
  }
  const opset = proto.opset_import.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')?.version ?? 0;
  if (opset < 7) throw new CudnnGruError('ERR_UNSUPPORTED', `operator set ${opset}; 7 or later is needed`);
  if (graph.sparse_initializer.length > 0) {
    throw new CudnnGruError('ERR_UNSUPPORTED', 'sparse initializers are not supported');
  }
  return { graph, opset };
}
