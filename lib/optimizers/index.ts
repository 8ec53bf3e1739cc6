export { clipGradientNorm, clipGradientValue } from './clipping.js';
export type { OptimizerOptions, OptimizerReport, OptimizerState, ParameterGroup } from './optimizer.js';
export { Optimizer } from './optimizer.js';
export {
  Adagrad,
  type AdagradOptions,
  Adam,
  type AdamOptions,
  AdamW,
  RMSprop,
  type RMSpropOptions,
  SGD,
  type SGDOptions,
} from './optimizers.js';
