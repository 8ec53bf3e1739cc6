import { type Embedding, Linear } from '../layers/layers.js';
import type { LayerOptions } from '../layers/parameters.js';
import type { Tensor } from '../tensor/tensor.js';

/** From hidden states to the logits of tokens. */
export interface OutputLayers {
  /** To the embedding's size, where tied weights need it. */
  projection: Linear | null;
  head: Linear;
}

/**
 * A linear layer to the vocabulary of an embedding. Tied, its weights are the embedding's own (Press and Wolf 2017), and where states and
 * embedding differ in size a linear layer stands between.
 */
export function outputLayers(
  embedding: Embedding,
  hiddenSize: number,
  { tied, ...place }: LayerOptions & { tied: boolean },
): OutputLayers {
  const { vocabularySize, embeddingSize } = embedding;
  const project = tied && hiddenSize !== embeddingSize;
  const projection = project ? new Linear({ inputSize: hiddenSize, outputSize: embeddingSize, ...place }) : null;
  const head = new Linear({ inputSize: tied ? embeddingSize : hiddenSize, outputSize: vocabularySize, ...place });
  if (tied) {
    // As an output layer's: an embedding's standard normal would begin with far too certain answers.
    embedding.weight.write((head.weight.dataSync() as Float32Array).slice());
    head.weight.dispose();
    head.weight = embedding.weight;
  }
  return { projection, head };
}

/** @param states [..., hiddenSize]. @returns logits [..., vocabularySize] */
export function logitsOf({ projection, head }: OutputLayers, states: Tensor): Tensor {
  return head.forward(projection?.forward(states) ?? states);
}
