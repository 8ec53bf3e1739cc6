// The public names under `data`.
export {
  ArrayDataset,
  type ArrayDatasetOptions,
  type ArrayInput,
  type ElementKind,
  type NestedArray,
  Subset,
  toHostArray,
} from './array_dataset.js';
export { Batches, type BatchesOptions } from './batches.js';
export { type CsvOptions, numericColumn, numericRows, readCsv, type Table, writeCsv } from './csv.js';
export { type CutSplit, type EventCuts, type EventCutsOptions, eventCuts, splitCuts } from './event_cuts.js';
export {
  EventDataset,
  type EventDatasetOptions,
  type EventEncoding,
  encodedSize,
  fitEventEncoding,
} from './event_dataset.js';
export { type EventLog, type EventLogOptions, eventLog } from './event_log.js';
export { readJsonLines } from './json_lines.js';
export { fitMinMaxScaler, fitStandardScaler, Scaler, type ScalerJson } from './scalers.js';
export { padSequences, SequenceDataset, type SequenceDatasetOptions } from './sequence_dataset.js';
export {
  type Fold,
  kFold,
  randomSplit,
  type Split,
  type SplitSizes,
  splitWindows,
  type WindowSplit,
  type WindowSplitOptions,
} from './splits.js';
export { StreamBatches, type StreamBatchesOptions } from './stream_batches.js';
export type { Batch, BatchPosition, BatchSource, Dataset, HostArray, NumericArray } from './types.js';
export { changesToLevels, WindowDataset, type WindowDatasetOptions, windowStarts } from './windows.js';
