export * as audio from './audio/index.js';
export { noGrad } from './autograd/tape.js';
export * as data from './data/index.js';
export * as decoding from './decoding/index.js';
export { CudnnGruError, type ErrorCode } from './errors.js';
export { type ImportOptions, importModel } from './formats/import_model.js';
export { exportKeras } from './formats/keras/export_keras.js';
export {
  KerasModel,
  type KerasModelInputs,
  type KerasModelLayer,
  type KerasModelOptions,
  type LayerCall,
  type TensorReference,
} from './formats/keras/keras_model.js';
export { loadModel, registerModule, saveModel } from './formats/models.js';
export { type NumpyArray, readNpy, writeNpy } from './formats/npy/npy.js';
export { type ReadNpzOptions, readNpz, type WriteNpzOptions, writeNpz } from './formats/npy/npz.js';
export {
  type ExportOnnxOptions,
  exportOnnx,
  importOnnx,
  type OnnxInput,
  type OnnxInputSpec,
  OnnxModel,
} from './formats/onnx/index.js';
export { exportPytorch } from './formats/pytorch/export_pytorch.js';
export { type ReadStateDictOptions, readStateDict } from './formats/state_dict.js';
export { loadSafetensors, saveSafetensors } from './formats/tensors.js';
export {
  type FileProgress,
  type PredictedFile,
  type PredictFileOptions,
  predictFile,
} from './inference/batch/predict_file.js';
export { type BatchOptions, type PredictedRow, predictRows } from './inference/batch/predict_rows.js';
export type { Axis, Signature, TensorSpec } from './inference/signature.js';
export type { Stream } from './inference/stream.js';
export type { StreamStates } from './inference/stream_states.js';
export type { StreamOptions } from './inference/streaming_model.js';
export * from './layers/index.js';
export * as losses from './losses/index.js';
export * as metrics from './metrics/index.js';
export * as ops from './ops/index.js';
export * from './optimizers/index.js';
export * as schedules from './optimizers/schedules.js';
export { type LogLevel, type RunningServer, type ServerOptions, startServer } from './server/index.js';
export * as tasks from './tasks/index.js';
export {
  type NestedNumbers,
  ones,
  type RandomOptions,
  randn,
  type TensorOptions,
  tensor,
  uniform,
  zeros,
} from './tensor/creation.js';
export {
  type DeviceName,
  type DeviceReport,
  devices,
  getThreads,
  releaseCache,
  setThreads,
  synchronize,
} from './tensor/device.js';
export { Generator, type GeneratorState, setSeed } from './tensor/generator.js';
export { type ComputePrecision, withPrecision } from './tensor/precision.js';
export { scope } from './tensor/scope.js';
export { type DType, Tensor, type TensorData } from './tensor/tensor.js';
export * as text from './text/index.js';
export * from './training/index.js';
