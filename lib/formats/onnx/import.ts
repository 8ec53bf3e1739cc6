import { CudnnGruError } from '../../errors.js';
import { type DeviceName, deviceOf, withDefaultDevice } from '../../tensor/device.js';
import { FileSource, naming, readBytes } from '../byte_source.js';
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
  const tensors = new TensorReader(path);
  try {
    return await naming(path, async () => modelFromBytes(await readWhole(path), tensors, device));
  } finally {
    await tensors.close();
  }
}

/** @internal The model of a whole file. @param tensors for what lies beside it */
export async function modelFromBytes(
  bytes: Uint8Array,
  tensors: TensorReader,
  device: DeviceName | 'auto' = 'cpu',
): Promise<OnnxModel> {
  const { graph, opset } = checkModel(decodeModel(bytes));
  try {
    const importer = await GraphImporter.convert(graph, opset, tensors);
    const model = withDefaultDevice(device, () => new OnnxModel(importer.graph()));
    importer.writeInto(model);
    return model.eval();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new CudnnGruError('ERR_FORMAT', `not a valid ONNX graph: ${error.message}`, { cause: error });
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await FileSource.open(path);
  try {
    if (file.size > mostBytes) throw new CudnnGruError('ERR_UNSUPPORTED', 'the file is larger than the 2 GB of ONNX');
    return await readBytes(file, 0, file.size);
  } finally {
    await file.close();
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
