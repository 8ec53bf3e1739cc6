import { checkOptions } from '../../arguments.js';
import { surpriseOf } from './evaluate_language_model.js';
import { generateText } from './generate_text.js';
import type { TrainedLanguageModel } from './train_language_model.js';

export interface LanguageReportOptions {
  title?: string;
  /** What samples of the model's writing begin with. Default: the beginning of `passage`. */
  prompt?: string;
}

const temperatures = [0.5, 0.8, 1];
const sampleTokens = 400;
const passageCharacters = 1500;
const promptCharacters = 40;

/**
 * Writes one self-contained HTML file about a training: bits per character, a passage of text with how surprising each token was, what the
 * model writes at several temperatures, loss curves, the configuration.
 *
 * @param passage text that the model did not learn from; its first 1,500 characters are shown
 * @throws TypeError; CudnnGruError `ERR_DATA` for a passage of fewer than two tokens, `ERR_FILE`
 */
export async function writeLanguageReport(
  path: string,
  { model, result, evaluation }: TrainedLanguageModel,
  passage: string,
  options: LanguageReportOptions = {},
): Promise<void> {
  checkOptions(options, 'options', ['title', 'prompt']);
  const shown = [...passage].slice(0, passageCharacters).join('');
  const prompt = options.prompt ?? [...passage].slice(0, promptCharacters).join('');
  const samples = [];
  for (const temperature of temperatures) {
    let text = '';
    for await (const piece of generateText(model, prompt, { length: sampleTokens, temperature })) text += piece;
    samples.push({ temperature, prompt, text });
  }
  const { writeTextReport } = await import('../../report/index.js');
  await writeTextReport(path, {
    title: options.title ?? 'Language model',
    configuration: { model: model.architecture().options, training: model.summary },
    history: result.history,
    measured: evaluation,
    passage: await surpriseOf(model, shown),
    samples,
  });
}
