import { type Generator, GRU, Linear, Module, ops, type Tensor } from 'cudnn-gru';
import { motions, patches, patchPixels } from './clips.js';

/** What the model says of a clip. */
export interface VideoAnswer {
  /** Logits [batch, 10]. */
  readonly digit: Tensor;
  /** Logits [batch, motions]. */
  readonly motion: Tensor;
  /** Shape [batch, 2]: where the digit will be. */
  readonly place: Tensor;
}

/**
 * Frames through a linear embedding of patches and a linear layer, then a GRU; its last state answers all three questions. Without `memory`
 * each frame is judged alone, and the scores of all frames are averaged.
 */
export class VideoModel extends Module {
  readonly patchEmbedding: Linear;
  readonly frame: Linear;
  readonly gru: GRU | null;
  readonly digit: Linear;
  readonly motion: Linear;
  readonly place: Linear;

  constructor(options: { hiddenSize: number; memory: boolean; generator: Generator }) {
    super();
    const { hiddenSize, memory, generator } = options;
    const features = 24;
    this.patchEmbedding = new Linear({ inputSize: patchPixels, outputSize: features, generator });
    this.frame = new Linear({ inputSize: patches * features, outputSize: hiddenSize, generator });
    this.gru = memory ? new GRU({ inputSize: hiddenSize, hiddenSize, generator }) : null;
    this.digit = new Linear({ inputSize: hiddenSize, outputSize: 10, generator });
    this.motion = new Linear({ inputSize: hiddenSize, outputSize: motions.length, generator });
    this.place = new Linear({ inputSize: hiddenSize, outputSize: 2, generator });
  }

  /** @param x [batch, frames, patches · patchPixels] */
  forward(x: Tensor): VideoAnswer {
    const [batch, frames] = x.shape as [number, number];
    const embedded = this.patchEmbedding.forward(x.reshape(batch, frames, patches, patchPixels)).relu();
    const seen = this.frame.forward(embedded.reshape(batch, frames, -1)).relu();
    if (this.gru === null) {
      const lengths = new Array<number>(batch).fill(frames);
      const mean = (layer: Linear) => ops.maskedMean(layer.forward(seen), lengths);
      return { digit: mean(this.digit), motion: mean(this.motion), place: mean(this.place) };
    }
    const last = this.gru.forward(seen).hidden.reshape(batch, -1);
    return { digit: this.digit.forward(last), motion: this.motion.forward(last), place: this.place.forward(last) };
  }
}
