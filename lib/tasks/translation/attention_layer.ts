import { checkOneOf, checkOptions } from '../../arguments.js';
import { registerModule } from '../../formats/models.js';
import { Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions, uniformParameters } from '../../layers/parameters.js';
import { type Attention, additiveAttention, dotAttention } from '../../ops/attention.js';
import type { Lengths } from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * How a query q is compared with a step m of the memory: 'additive' v · tanh(W q + U m) (Bahdanau et al. 2015), 'general' q · W m and
 * 'dot' q · m (Luong et al. 2015), the memory being brought to the query's size for 'dot'.
 */
export type AttentionScore = 'additive' | 'general' | 'dot';

/** @internal */
export const attentionScores = ['additive', 'general', 'dot'] as const;

export interface AttentionLayerOptions extends LayerOptions {
  score: AttentionScore;
  querySize: number;
  memorySize: number;
}

/**
 * Attention of queries to a memory, with the parameters of its score: `key` [querySize, memorySize]; additive: `query`
 * [querySize, querySize] and `scale` [querySize].
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class AttentionLayer extends Module {
  readonly score: AttentionScore;
  readonly querySize: number;
  readonly memorySize: number;
  readonly key: Linear;
  readonly query: Linear | null;
  scale: Tensor | null;

  constructor(options: AttentionLayerOptions) {
    super();
    checkOptions(options, 'options', ['score', 'querySize', 'memorySize', ...layerOptions]);
    const { score, querySize, memorySize, ...place } = options;
    this.score = checkOneOf(score, 'score', attentionScores);
    this.querySize = querySize;
    this.memorySize = memorySize;
    const additive = score === 'additive';
    this.key = new Linear({ inputSize: memorySize, outputSize: querySize, bias: additive, ...place });
    this.query = additive ? new Linear({ inputSize: querySize, outputSize: querySize, bias: false, ...place }) : null;
    const bound = 1 / Math.sqrt(querySize);
    this.scale = additive ? (uniformParameters([[querySize]], bound, place)[0] as Tensor) : null;
  }

  override architecture(): Architecture {
    const { score, querySize, memorySize } = this;
    return { type: 'AttentionLayer', options: { score, querySize, memorySize } };
  }

  /** Features of the context. */
  get valueSize(): number {
    return this.score === 'dot' ? this.querySize : this.memorySize;
  }

  /** What `forward` looks at, computed once for a memory. @param memory [batch, time, memorySize] */
  remember(memory: Tensor): { keys: Tensor; values: Tensor } {
    const keys = this.key.forward(memory);
    return { keys, values: this.score === 'dot' ? keys : memory };
  }

  /**
   * @param query [batch, queries, querySize]
   * @returns context [batch, queries, valueSize] and weights [batch, queries, time]
   */
  forward(query: Tensor, { keys, values }: { keys: Tensor; values: Tensor }, lengths?: Lengths): Attention {
    if (this.query && this.scale)
      return additiveAttention(this.query.forward(query), keys, values, this.scale, { lengths });
    return dotAttention(query, keys, values, { lengths });
  }
}

registerModule('AttentionLayer', (options) => new AttentionLayer(options as unknown as AttentionLayerOptions));
