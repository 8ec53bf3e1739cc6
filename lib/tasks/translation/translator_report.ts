import { checkOptions } from '../../arguments.js';
import type { TextPair } from './pair_dataset.js';
import type { TrainedTranslator } from './train_translator.js';
import { alignmentOf, evaluateTranslator, translationTokenizersOf } from './translate.js';

const width = 4;
const exampleLimit = 20;

/**
 * Writes one self-contained HTML file about a training: error rates, attention maps, answers beside what was expected, loss curves, the
 * configuration.
 *
 * @param pairs that the model did not learn from; pairs of one source are several right answers
 * @throws TypeError, RangeError; CudnnGruError `ERR_DATA` for a source without tokens, `ERR_FILE`
 */
export async function writeTranslatorReport(
  path: string,
  { model, result }: TrainedTranslator,
  pairs: readonly TextPair[],
  options: { title?: string } = {},
): Promise<void> {
  checkOptions(options, 'options', ['title']);
  const answers = new Map<string, string[]>();
  for (const [source, target] of pairs) answers.set(source, [...(answers.get(source) ?? []), target]);
  const [sources, expected] = [[...answers.keys()], [...answers.values()]];
  const { errors, translations } = await evaluateTranslator(model, sources, expected, { width });
  const examples = [];
  for (const [i, source] of sources.slice(0, exampleLimit).entries()) {
    const best = translations[i]?.[0];
    if (best === undefined) continue;
    const alignment = await alignmentOf(model, source, best);
    examples.push({ source, answer: best.text, expected: expected[i] as string[], alignment });
  }
  const { source, target } = translationTokenizersOf(model);
  const vocabularies = { source: source.vocabularySize, target: target.vocabularySize };
  const { writeTranslationReport } = await import('../../report/index.js');
  await writeTranslationReport(path, {
    title: options.title ?? 'From one text to another',
    configuration: { model: model.architecture().options, vocabularies, training: model.summary },
    history: result.history,
    measured: sources.length > 0 ? { sources: sources.length, width, ...errors } : null,
    examples,
  });
}
