import {
  Adam,
  Dropout,
  data,
  GRU,
  Linear,
  losses,
  Module,
  type Optimizer,
  ops,
  setSeed,
  type Tensor,
  Trainer,
  type TrainerOptions,
} from '../../lib/index.js';

/** Tells from the sign of a noisy sum which way a sequence goes: small, learnable, with dropout. */
export class Classifier extends Module {
  gru = new GRU({ inputSize: 3, hiddenSize: 12, numLayers: 2, dropout: 0.2 });
  dropout = new Dropout(0.1);
  head = new Linear({ inputSize: 12, outputSize: 2 });

  forward(x: Tensor, lengths?: ops.Lengths): Tensor {
    const { output } = this.gru.forward(x, { lengths: lengths ?? null });
    return this.head.forward(this.dropout.forward(ops.lastStep(output, lengths)));
  }
}

export function examples(count: number, seed: number): data.SequenceDataset {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const sequences: number[][][] = [];
  const targets: number[] = [];
  for (let i = 0; i < count; i++) {
    const length = 3 + Math.floor((random() + 0.5) * 8);
    const drift = random() > 0 ? 0.2 : -0.2;
    sequences.push(Array.from({ length }, () => [random() + drift, random(), random()]));
    targets.push(drift > 0 ? 1 : 0);
  }
  return new data.SequenceDataset({ sequences, targets, targetType: 'int32' });
}

export interface Problem {
  model: Classifier;
  // biome-ignore lint/suspicious/noExplicitAny: any optimizer will do.
  optimizer: Optimizer<any>;
  trainer: Trainer;
  batches: data.Batches;
  validation: data.Batches;
}

/** The same problem each time it is called with the same options: same weights, same data, same order. */
export function problem(options: Partial<TrainerOptions> = {}): Problem {
  setSeed(42);
  const model = new Classifier();
  const optimizer = new Adam(model.parameters(), { learningRate: 5e-3, clipNorm: 1 });
  const batches = new data.Batches(examples(120, 1), { batchSize: 16, shuffle: true, seed: 3, bucketSize: 2 });
  const validation = new data.Batches(examples(40, 2), { batchSize: 20 });
  const trainer = new Trainer({
    model,
    optimizer,
    loss: ({ inputs, targets, lengths }) => losses.crossEntropy(model.forward(inputs, lengths), targets),
    data: batches,
    validation,
    epochs: 6,
    seed: 9,
    ...options,
  });
  return { model, optimizer, trainer, batches, validation };
}

/** Every bit that a training leaves. */
export async function bitsOf({ model, optimizer }: Problem): Promise<string> {
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  const parameters = await model.stateDict();
  for (const name of Object.keys(parameters).sort()) {
    const { data: numbers } = parameters[name] as (typeof parameters)[string];
    hash.update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }
  const state = await optimizer.state();
  for (const memory of state.parameters) {
    for (const numbers of Object.values(memory))
      hash.update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }
  hash.update(JSON.stringify([...state.counts]));
  return hash.digest('hex');
}
