export { GRU, type GRUCallShape, GRUCell, type GRUCellOptions, type GRUInputs, type GRUOptions } from './gru.js';
export {
  Dropout,
  type DropoutOptions,
  Embedding,
  type EmbeddingOptions,
  LayerNorm,
  type LayerNormOptions,
  Linear,
  type LinearOptions,
} from './layers.js';
export { type Architecture, type JsonValue, Module, type StateDict } from './module.js';
export { type LayerOptions, parameter } from './parameters.js';
export { QuantizedGRU, type QuantizedGRUOptions } from './quantized_gru.js';
export { Sequential } from './sequential.js';
export { VariationalDropout } from './variational_dropout.js';
