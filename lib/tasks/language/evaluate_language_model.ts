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
  const tokens = encodeText(languageTokenizerOf(model), text);
  const nats = (await tokenLosses(model, tokens)).reduce((sum, loss) => sum + loss, 0);
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

/** What a language model thought of a text, token by token. */
export interface TokenSurprise {
  /** The text of each token. */
  readonly tokens: string[];
  /** -log2 p of each token after those before it; 0 for the first, which nothing is known about. */
  readonly bits: number[];
}

/**
 * How surprising each token of a text is to a model: what it learnt and what it did not.
 *
 * @throws as `evaluateLanguageModel`
 */
export async function surpriseOf(model: LanguageModel, text: string): Promise<TokenSurprise> {
  const tokenizer = languageTokenizerOf(model);
  const tokens = encodeText(tokenizer, text);
  const nats = await tokenLosses(model, tokens);
  // Words bring the space before them only beside others.
  const ends = Array.from(tokens, (_, i) => tokenizer.decode(tokens.subarray(0, i + 1)));
  return {
    tokens: ends.map((end, i) => end.slice((ends[i - 1] ?? '').length)),
    bits: [0, ...Array.from(nats, (value) => value / Math.LN2)],
  };
}

function encodeText(tokenizer: Tokenizer, text: string): Int32Array {
  const tokens = tokenizer.encode(text);
  if (tokens.length >= 2) return tokens;
  throw new CudnnGruError('ERR_DATA', `the text has ${tokens.length} tokens; two are needed`);
}

// -log p of each token but the first.
async function tokenLosses(model: LanguageModel, tokens: Int32Array): Promise<Float32Array> {
  const wasTraining = model.training;
  const device = model.head.weight.on;
  const losses = new Float32Array(tokens.length - 1);
  let hidden: Tensor | null = null;
  model.eval();
  try {
    for (let start = 0; start + 1 < tokens.length; start += chunk) {
      const inputs = tokens.slice(start, Math.min(start + chunk, tokens.length - 1));
      const targets = tokens.slice(start + 1, start + 1 + inputs.length);
      const step: { loss: Tensor; hidden: Tensor } = scope(() =>
        noGrad(() => {
          const next = model.forward(upload(inputs, [1, inputs.length], device), { initialHidden: hidden });
          const loss = crossEntropy(next.logits, upload(targets, [1, targets.length], device), { reduction: 'none' });
          return { loss, hidden: next.hidden };
        }),
      );
      hidden?.dispose();
      hidden = step.hidden;
      losses.set((await step.loss.data()) as Float32Array, start);
      step.loss.dispose();
    }
  } finally {
    hidden?.dispose();
    if (wasTraining) model.train();
  }
  return losses;
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
