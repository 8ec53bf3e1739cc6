import { wrongRange } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import { crossEntropy } from '../../losses/index.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Tokenizer, tokenizerFromJson } from '../../text/index.js';
import { LanguageModel } from './language_model.js';

/** How well a language model knows a text. */
export interface LanguageEvaluation {
  /** Tokens that were judged: all but the first. */
  readonly tokens: number;
  readonly characters: number;
  /** Mean -log2 p of a token. */
  readonly bitsPerToken: number;
  /** Σ -log2 p / characters: comparable between tokenizers. */
  readonly bitsPerCharacter: number;
  /** 2 to the power of bitsPerToken. */
  readonly perplexity: number;
  /** The share of tokens that the vocabulary lacks. */
  readonly unknown: number;
}

// Tokens of one forward pass.
const chunk = 1024;

/**
 * Goes through a text from its beginning to its end, with the state carried on.
 *
 * @throws CudnnGruError `ERR_FORMAT` for a model without a tokenizer, `ERR_DATA` for a text of fewer than two tokens
 */
export async function evaluateLanguageModel(model: LanguageModel, text: string): Promise<LanguageEvaluation> {
  const tokens = languageTokenizerOf(model).encode(text);
  if (tokens.length < 2) throw new CudnnGruError('ERR_DATA', `the text has ${tokens.length} tokens; two are needed`);
  const nats = await totalLoss(model, tokens);
  const judged = tokens.length - 1;
  const characters = [...text].length;
  const bitsPerToken = nats / Math.LN2 / judged;
  return {
    tokens: judged,
    characters,
    bitsPerToken,
    bitsPerCharacter: nats / Math.LN2 / characters,
    perplexity: 2 ** bitsPerToken,
    unknown: tokens.filter((token) => token === 1).length / tokens.length,
  };
}

async function totalLoss(model: LanguageModel, tokens: Int32Array): Promise<number> {
  const wasTraining = model.training;
  const device = model.head.weight.on;
  let hidden: Tensor | null = null;
  let total = 0;
  model.eval();
  try {
    for (let start = 0; start + 1 < tokens.length; start += chunk) {
      const inputs = tokens.slice(start, Math.min(start + chunk, tokens.length - 1));
      const targets = tokens.slice(start + 1, start + 1 + inputs.length);
      const step: { loss: Tensor; hidden: Tensor } = scope(() =>
        noGrad(() => {
          const next = model.forward(upload(inputs, [1, inputs.length], device), { initialHidden: hidden });
          const loss = crossEntropy(next.logits, upload(targets, [1, targets.length], device), { reduction: 'sum' });
          return { loss, hidden: next.hidden };
        }),
      );
      hidden?.dispose();
      hidden = step.hidden;
      total += await step.loss.item();
      step.loss.dispose();
    }
  } finally {
    hidden?.dispose();
    if (wasTraining) model.train();
  }
  return total;
}

/** The tokenizer that came with a language model. @throws CudnnGruError `ERR_FORMAT` */
export function languageTokenizerOf(model: Module): Tokenizer {
  const json = model.preprocessing as { task?: unknown; tokenizer?: unknown } | null;
  if (!(model instanceof LanguageModel) || json?.task !== 'generate') {
    throw new CudnnGruError('ERR_FORMAT', 'the model is no language model with a tokenizer in its preprocessing');
  }
  const tokenizer = tokenizerFromJson(json.tokenizer);
  if (tokenizer.vocabularySize !== model.vocabularySize) {
    throw wrongRange('preprocessing.tokenizer', `a vocabulary of ${model.vocabularySize}`, tokenizer.vocabularySize);
  }
  return tokenizer;
}
