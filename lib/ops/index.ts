// Every operation, under its one name. Exported to users as `ops`.

export { argmax } from './argmax.js';
export { add, clone, div, mul, relu, reshape, scale, sigmoid, sub, tanh } from './arithmetic.js';
export {
  type Attention,
  type AttentionOptions,
  additiveAttention,
  type DotAttentionOptions,
  dotAttention,
  maskedSoftmax,
} from './attention.js';
export { dropout } from './dropout.js';
export { embedding } from './embedding.js';
export { type GruOptions, type GruResult, type GruVariant, gru } from './gru.js';
export type { GruAlgorithm } from './gru_algorithm.js';
export {
  type GruQuantizedOptions,
  gruQuantized,
  type Precision,
} from './gru_quantized.js';
export { layerNorm } from './layer_norm.js';
export { linear, type MatmulOptions, matmul } from './linear.js';
export { concat, slice, transpose } from './rearrange.js';
export { mean, sum } from './reduce.js';
export { gatherTime, type Lengths, lastStep, maskedMax, maskedMean, type SequenceOptions } from './sequences.js';
export { logSoftmax, softmax } from './softmax.js';
