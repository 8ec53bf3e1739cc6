import { checkOptions } from '../../arguments.js';
import { registerModule } from '../../formats/models.js';
import { Linear } from '../../layers/layers.js';
import { type Architecture, Module } from '../../layers/module.js';
import { type LayerOptions, layerOptions, uniformParameters } from '../../layers/parameters.js';
import { additiveAttention } from '../../ops/attention.js';
import type { Lengths } from '../../ops/index.js';
import { fill } from '../../ops/result.js';
import type { Tensor } from '../../tensor/tensor.js';

export interface AttentionPoolingOptions extends LayerOptions {
  inputSize: number;
}

/**
 * The steps of a sequence as one vector, those that matter weighing more (Yang et al. 2016, "Hierarchical Attention Networks for Document
 * Classification"):
 *
 *     y = Σ_t a_t x_t,  a = softmax over the valid steps of v · tanh(W x_t + b)
 *
 * Parameters `key` (W, b) and `scale` v [inputSize].
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_DEVICE_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`
 */
export class AttentionPooling extends Module {
  readonly inputSize: number;
  readonly key: Linear;
  scale: Tensor;

  constructor(options: AttentionPoolingOptions) {
    super();
    checkOptions(options, 'options', ['inputSize', ...layerOptions]);
    const { inputSize, ...place } = options;
    this.key = new Linear({ inputSize, outputSize: inputSize, ...place });
    this.inputSize = this.key.inputSize;
    this.scale = uniformParameters([[inputSize]], 1 / Math.sqrt(inputSize), place)[0] as Tensor;
  }

  override architecture(): Architecture {
    return { type: 'AttentionPooling', options: { inputSize: this.inputSize } };
  }

  /**
   * @param x [batch, time, inputSize]
   * @param lengths valid steps of each row; default: all
   * @returns [batch, inputSize]
   */
  forward(x: Tensor, lengths?: Lengths): Tensor {
    const batch = x.shape[0] as number;
    const query = fill([batch, 1, this.inputSize], 0, x.on);
    const { context } = additiveAttention(query, this.key.forward(x), x, this.scale, { lengths });
    return context.reshape(batch, this.inputSize);
  }
}

registerModule('AttentionPooling', (options) => new AttentionPooling(options as unknown as AttentionPoolingOptions));
