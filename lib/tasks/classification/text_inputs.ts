import { checkPositiveInteger, checkString, wrongKind, wrongRange } from '../../arguments.js';
import { SequenceDataset } from '../../data/sequence_dataset.js';
import { CudnnGruError } from '../../errors.js';
import type { JsonValue } from '../../layers/module.js';
import { specialTokens, type Tokenizer, tokenizerFromJson } from '../../text/index.js';
import type { Classifier } from './classifier.js';
import { type ClassifierPreprocessing, classifierPreprocessingOf } from './evaluate_classifier.js';

/** What turns texts into a classifier's numbers. */
export interface TextClassifierPreprocessing extends ClassifierPreprocessing {
  readonly input: 'text';
  /** As `tokenizerFromJson` takes it. */
  readonly tokenizer: JsonValue;
  /** Texts in lower case before they become tokens. */
  readonly lowerCase: boolean;
  /** Tokens of a text that are read: its first ones. */
  readonly maxTokens: number;
}

/** Makes a text's tokens. */
export interface TextReader {
  readonly tokenizer: Tokenizer;
  readonly lowerCase: boolean;
  readonly maxTokens: number;
}

/** One example for each text; one without tokens is read as one unknown token. @param labels numbers of the classes */
export function textDataset(
  { tokenizer, lowerCase, maxTokens }: TextReader,
  texts: readonly string[],
  labels: ArrayLike<number>,
): SequenceDataset {
  const sequences = texts.map((text) => {
    const tokens = tokenizer.encode(lowerCase ? text.toLowerCase() : text).subarray(0, maxTokens);
    return tokens.length > 0 ? tokens : Int32Array.of(specialTokens.unknown);
  });
  return new SequenceDataset({ sequences, targets: Int32Array.from(labels), inputType: 'int32', targetType: 'int32' });
}

/** Each label as a number into `classes`. @throws CudnnGruError `ERR_DATA` for one that is none of them */
export function labelNumbers(labels: readonly string[], classes: readonly string[]): Int32Array {
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return Int32Array.from(labels, (label, i) => {
    const number = numbers.get(label);
    if (number !== undefined) return number;
    throw new CudnnGruError(
      'ERR_DATA',
      `labels[${i}]: ${JSON.stringify(label)} is none of the classes ${classes.join(', ')}`,
    );
  });
}

/** @throws TypeError, RangeError */
export function checkTextArray(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw wrongKind(name, 'an array of strings', value);
  if (value.length === 0) throw wrongRange(name, 'at least one string', value);
  for (const [i, text] of value.entries())
    if (typeof text !== 'string') throw wrongKind(`${name}[${i}]`, 'a string', text);
  return value;
}

/** @throws TypeError, RangeError */
export function checkLabelled(
  texts: unknown,
  labels: unknown,
): { texts: readonly string[]; labels: readonly string[] } {
  const checked = { texts: checkTextArray(texts, 'texts'), labels: checkTextArray(labels, 'labels') };
  for (const [i, label] of checked.labels.entries()) checkString(label, `labels[${i}]`);
  if (checked.labels.length !== checked.texts.length) {
    throw wrongRange('labels', `${checked.texts.length} strings, one for each text`, labels);
  }
  return checked;
}

/** A model's preprocessing, checked: it may come from a file. @throws CudnnGruError `ERR_FORMAT` */
export function textPreprocessingOf(model: Classifier): Omit<TextClassifierPreprocessing, 'tokenizer'> & TextReader {
  const json = classifierPreprocessingOf(model) as Partial<Record<keyof TextClassifierPreprocessing, unknown>>;
  const faulty = (what: string) =>
    new CudnnGruError('ERR_FORMAT', `the model does not say how it reads texts: ${what}`);
  if (json.input !== 'text') throw faulty('its input is no text');
  const tokenizer = tokenizerFromJson(json.tokenizer);
  if (tokenizer.vocabularySize !== model.embedding?.vocabularySize) throw faulty('its vocabulary is of another size');
  if (typeof json.lowerCase !== 'boolean') throw faulty('lowerCase is neither true nor false');
  try {
    checkPositiveInteger(json.maxTokens, 'maxTokens');
  } catch {
    throw faulty('maxTokens is no positive integer');
  }
  return { ...(json as unknown as TextClassifierPreprocessing), tokenizer };
}
