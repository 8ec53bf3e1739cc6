import { checkOptions, checkPositiveInteger } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import { crossEntropy } from '../../losses/index.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import { specialTokens } from '../../text/index.js';
import type { EncoderDecoder } from './encoder_decoder.js';
import { checkPairs, decoderInput, encodePair, PairDataset, type TextPair } from './pair_dataset.js';
import { translationTokenizersOf } from './translate.js';

/** How probable an answer is. */
export interface TranslationScore {
  /** log p(target | source) = Σ_t log p(y_t | y_1 … y_{t-1}, source), the end token with it: what `translate` says of an answer that it finds. */
  readonly logProbability: number;
  /** Tokens of the target, the end token with them: what to divide by where lengths differ. */
  readonly tokens: number;
}

/**
 * Judges given answers instead of searching one: to choose among candidates, or to rank them anew.
 *
 * @param options batchSize: pairs that are computed together; default: 64
 * @returns for each pair, in their order
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a source without tokens, `ERR_FORMAT` for a model without tokenizers
 */
export async function scoreTranslations(
  model: EncoderDecoder,
  pairs: readonly TextPair[],
  options: { batchSize?: number } = {},
): Promise<TranslationScore[]> {
  checkOptions(options, 'options', ['batchSize']);
  const batchSize = checkPositiveInteger(options.batchSize ?? 64, 'batchSize');
  const { source, target } = translationTokenizersOf(model);
  const dataset = new PairDataset(checkPairs(pairs, 'pairs').map((pair) => encodePair(pair, source, target)));
  const order = Array.from({ length: dataset.length }, (_, i) => i);
  order.sort((a, b) => dataset.lengthOf(a) - dataset.lengthOf(b));
  const found = new Array<TranslationScore>(dataset.length);
  const wasTraining = model.training;
  const device = model.head.weight.on;
  model.eval();
  try {
    for (let start = 0; start < order.length; start += batchSize) {
      const indices = order.slice(start, start + batchSize);
      const { inputs, targets, lengths } = dataset.get(indices);
      const { data, shape } = targets as { data: Int32Array; shape: [number, number] };
      const losses = scope(() =>
        noGrad(() => {
          const sources = upload(inputs.data as Int32Array, inputs.shape, device);
          const { logits } = model.forward(sources, upload(decoderInput({ data, shape }), shape, device), { lengths });
          const ignoreIndex = specialTokens.padding;
          return crossEntropy(logits, upload(data, shape, device), { reduction: 'none', ignoreIndex });
        }),
      );
      try {
        const values = (await losses.data()) as Float32Array;
        for (const [row, index] of indices.entries()) {
          const own = values.subarray(row * shape[1], (row + 1) * shape[1]);
          const end = data.subarray(row * shape[1], (row + 1) * shape[1]).indexOf(specialTokens.end);
          found[index] = { logProbability: -own.reduce((sum, loss) => sum + loss, 0), tokens: end + 1 };
        }
      } finally {
        losses.dispose();
      }
    }
  } finally {
    if (wasTraining) model.train();
  }
  return found;
}
