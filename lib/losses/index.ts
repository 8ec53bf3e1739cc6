// Exported to users as `losses`.
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  type CrossEntropyOptions,
  crossEntropy,
} from './classification.js';
export { type CtcOptions, ctc } from './ctc.js';
export { type PinballOptions, pinball } from './pinball.js';
export { type HuberOptions, huber, type LossOptions, mae, mse, type Reduction } from './regression.js';
