import { checkOptions, wrongKind } from '../../arguments.js';
import { NgramModel } from '../../decoding/ngram_model.js';
import { type PrefixModel, tokenPrefixModel } from '../../decoding/prefix_model.js';
import { CudnnGruError } from '../../errors.js';
import { CharacterTokenizer, specialTokens, type Tokenizer } from '../../text/index.js';
import { LanguageModel, languageTokenizerOf } from '../language/index.js';
import { transcriberPreprocessingOf } from './transcribe.js';
import type { Transcriber } from './transcriber.js';

/**
 * What judges a transcriber's answers in the search of `transcribe`: an n-gram model of texts (modified Kneser–Ney, see `decoding.NgramModel`), or a
 * GRU that `trainLanguageModel` has trained by characters on such texts, one to a line.
 *
 * @param texts such as will be said, a sentence each; or the trained model, whose characters may be other ones than the transcriber's
 * @param options order, of n-grams: characters that a prediction looks back on, and itself; default: 6
 * @throws TypeError, RangeError; CudnnGruError `ERR_FORMAT` for a model without preprocessing, `ERR_UNSUPPORTED` for a language model of words or subwords
 */
export function transcriptLanguageModel(
  model: Transcriber,
  texts: readonly string[] | LanguageModel,
  options: { order?: number } = {},
): PrefixModel {
  const { tokenizer } = transcriberPreprocessingOf(model);
  if (texts instanceof LanguageModel) {
    checkOptions(options, 'options', []);
    return recurrentModel(texts, tokenizer);
  }
  checkOptions(options, 'options', ['order']);
  if (!Array.isArray(texts)) throw wrongKind('texts', 'an array of strings or a LanguageModel', texts);
  const sentences = texts.map((text) => Int32Array.of(specialTokens.start, ...tokenizer.encode(text)));
  const ngrams = new NgramModel(sentences, { order: options.order ?? 6, vocabularySize: tokenizer.vocabularySize });
  return { next: (prefixes) => ngrams.next(prefixes.map((prefix) => [specialTokens.start, ...prefix])) };
}

// A text begins behind the end of a line.
function recurrentModel(model: LanguageModel, tokenizer: Tokenizer): PrefixModel {
  const own = languageTokenizerOf(model);
  if (!(own instanceof CharacterTokenizer)) {
    throw new CudnnGruError(
      'ERR_UNSUPPORTED',
      'the language model is one of words or subwords; one of characters is needed',
    );
  }
  const ownTokens = Array.from({ length: tokenizer.vocabularySize }, (_, token) =>
    token > specialTokens.end ? own.encode(tokenizer.decode([token]))[0] : undefined,
  );
  const asked = tokenPrefixModel(model.searchModel(), own.encode('\n')[0] as number);
  return {
    async next(prefixes) {
      const found = await asked.next(prefixes.map((prefix) => prefix.map((token) => ownTokens[token] as number)));
      // Special tokens are never said.
      return found.map((row) =>
        Float32Array.from(ownTokens, (token) =>
          token === undefined ? Number.NEGATIVE_INFINITY : (row[token] as number),
        ),
      );
    },
  };
}
