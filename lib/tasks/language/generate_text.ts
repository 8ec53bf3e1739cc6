import { checkOptions, checkString } from '../../arguments.js';
import { noGrad } from '../../autograd/tape.js';
import { type GenerateOptions, stream } from '../../decoding/generate.js';
import { CudnnGruError } from '../../errors.js';
import { upload } from '../../ops/result.js';
import { scope } from '../../tensor/scope.js';
import { specialTokens } from '../../text/index.js';
import { languageTokenizerOf } from './evaluate_language_model.js';
import type { LanguageModel } from './language_model.js';

export interface GenerateTextOptions
  extends Pick<GenerateOptions, 'temperature' | 'topK' | 'topP' | 'seed' | 'repetitionPenalty' | 'signal'> {
  /** Tokens to write. Default: 200. */
  length?: number;
}

/**
 * Goes on writing where a prompt ends, piece by piece as it is found; together the pieces are the text behind the prompt.
 *
 * @param prompt at least one character; what the vocabulary lacks is read as the unknown token
 * @throws TypeError, RangeError; CudnnGruError `ERR_FORMAT` for a model without a tokenizer
 */
export async function* generateText(
  model: LanguageModel,
  prompt: string,
  options: GenerateTextOptions = {},
): AsyncGenerator<string> {
  checkOptions(options, 'options', ['length', 'temperature', 'topK', 'topP', 'seed', 'repetitionPenalty', 'signal']);
  const { length: maxLength = 200, ...search } = options;
  const tokenizer = languageTokenizerOf(model);
  const tokens = tokenizer.encode(checkString(prompt, 'prompt'));
  if (tokens.length === 0) throw new CudnnGruError('ERR_DATA', 'the prompt has no tokens');
  const wasTraining = model.training;
  model.eval();
  const device = model.head.weight.on;
  const before = tokens.subarray(0, -1);
  const hidden =
    before.length > 0
      ? scope(() => noGrad(() => model.forward(upload(before.slice(), [1, before.length], device)).hidden))
      : null;
  // Special tokens never stood in the training text.
  const written = Array.from({ length: model.vocabularySize }, (_, token) => token).slice(specialTokens.end + 1);
  try {
    const found: number[] = [];
    let text = tokenizer.decode(tokens);
    for await (const { token } of stream(model.searchModel(), {
      ...search,
      start: tokens.subarray(-1),
      state: hidden ? [hidden] : [],
      maxLength,
      allowed: () => written,
    })) {
      found.push(token);
      const longer = tokenizer.decode([...tokens, ...found]);
      yield longer.slice(text.length);
      text = longer;
    }
  } finally {
    hidden?.dispose();
    if (wasTraining) model.train();
  }
}
