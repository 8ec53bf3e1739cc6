import { noGrad } from '../autograd/tape.js';
import { embedding } from '../ops/embedding.js';
import { upload } from '../ops/result.js';
import { type Device, type DeviceName, deviceOf } from '../tensor/device.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a model remembers between two tokens: tensors of the shape [layers, rows, features], as the hidden state of a GRU. */
export type TokenState = readonly Tensor[];

/** A model that says, token by token, what may come next. */
export interface TokenModel {
  readonly vocabularySize: number;
  readonly device: DeviceName;
  /**
   * One token further, for all rows together.
   * @param tokens int32 [rows]: the last token of each row
   * @returns logits [rows, vocabularySize] of the next token, and the new state, in tensors of its own
   */
  step(tokens: Tensor, state: TokenState): { logits: Tensor; state: TokenState };
}

/** @internal The logarithms of the next tokens' probabilities, [rows, vocabularySize] on the host, and the new state. */
export async function advance(
  model: TokenModel,
  tokens: Int32Array,
  state: TokenState,
): Promise<{ logProbabilities: Float32Array; state: TokenState }> {
  const step = scope(() =>
    noGrad(() => {
      const next = model.step(upload(tokens, [tokens.length], deviceOf(model.device)), state);
      return { logProbabilities: next.logits.logSoftmax(), state: [...next.state] };
    }),
  );
  try {
    return { logProbabilities: (await step.logProbabilities.data()) as Float32Array, state: step.state };
  } catch (error) {
    disposeState(step.state);
    throw error;
  } finally {
    step.logProbabilities.dispose();
  }
}

/** @internal The state whose row r is row `parents[r]` of the one given. */
export function gatherRows(state: TokenState, parents: Int32Array): Tensor[] {
  return noGrad(() =>
    state.map((tensor) => {
      const [layers, rows, features] = tensor.shape as [number, number, number];
      return scope(() => {
        const ids = rowNumbers(layers, rows, parents, tensor.on);
        return embedding(ids, tensor.reshape(layers * rows, features)).reshape(layers, parents.length, features);
      });
    }),
  );
}

function rowNumbers(layers: number, rows: number, parents: Int32Array, device: Device): Tensor {
  const ids = new Int32Array(layers * parents.length);
  for (let layer = 0; layer < layers; layer++) {
    for (const [row, parent] of parents.entries()) ids[layer * parents.length + row] = layer * rows + parent;
  }
  return upload(ids, [ids.length], device);
}

/** @internal */
export function disposeState(state: TokenState): void {
  for (const tensor of state) tensor.dispose();
}
