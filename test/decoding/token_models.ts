import { type decoding, Embedding, Generator, GRU, Linear, noGrad, type Tensor, tensor } from '../../lib/index.js';

/** A small recurrent language model with random, strong opinions. */
export class SmallModel implements decoding.TokenModel {
  readonly vocabularySize: number;
  readonly device = 'cpu';
  /** The rows of each forward pass. */
  readonly passes: number[] = [];
  readonly #embedding: Embedding;
  readonly #gru: GRU;
  readonly #head: Linear;

  constructor(seed: number, vocabularySize: number, numLayers = 2) {
    const generator = new Generator(seed);
    this.vocabularySize = vocabularySize;
    this.#embedding = new Embedding({ vocabularySize, embeddingSize: 4, generator });
    this.#gru = new GRU({ inputSize: 4, hiddenSize: 8, numLayers, generator });
    this.#head = new Linear({ inputSize: 8, outputSize: vocabularySize, generator });
    const { weight } = this.#head;
    weight.write((weight.dataSync() as Float32Array).map((value) => 12 * value));
  }

  step(tokens: Tensor, [hidden]: decoding.TokenState) {
    const rows = tokens.size;
    this.passes.push(rows);
    const x = this.#embedding.forward(tokens).reshape(rows, 1, -1);
    const { output, hidden: next } = this.#gru.forward(x, hidden ? { initialHidden: hidden } : {});
    return { logits: this.#head.forward(output.reshape(rows, -1)), state: [next] };
  }

  /** Different for every row, so that a mix-up is seen. */
  initialState(rows: number): Tensor[] {
    const layers = this.#gru.numLayers;
    const values = Array.from({ length: layers * rows * 8 }, (_, i) => Math.sin(1 + (Math.floor(i / 8) % rows)));
    return [tensor(values, [layers, rows, 8])];
  }

  /** log p of each of `tokens` behind `start`, by one pass over the whole sequence; `row` of `rows` is the initial state's. */
  async logProbabilities(start: number, tokens: readonly number[], rows = 1, row = 0): Promise<number[]> {
    const logits = noGrad(() => {
      const x = this.#embedding.forward(tensor(Int32Array.from([start, ...tokens.slice(0, -1)]), [1, tokens.length]));
      const initialHidden = (this.initialState(rows)[0] as Tensor).slice(1, row, row + 1);
      return this.#head.forward(this.#gru.forward(x, { initialHidden }).output).logSoftmax();
    });
    const data = await logits.data();
    return tokens.map((token, t) => data[t * this.vocabularySize + token] as number);
  }
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
