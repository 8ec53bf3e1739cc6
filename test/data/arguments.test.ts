import { expect, test } from 'vitest';
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkPositiveInteger,
  checkSeed,
  checkShape,
  checkString,
  describe,
  nearest,
} from '../../lib/arguments.js';
import { CudnnGruError } from '../../lib/errors.js';

const typeError = (message: string) =>
  expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
const rangeError = (message: string) =>
  expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message });

test('numbers', () => {
  expect(checkPositiveInteger(3, 'hiddenSize')).toBe(3);
  expect(() => checkPositiveInteger(-3, 'hiddenSize')).toThrow(
    rangeError('hiddenSize: expected an integer >= 1, got -3 (number)'),
  );
  expect(() => checkPositiveInteger('3', 'hiddenSize')).toThrow(
    typeError('hiddenSize: expected an integer >= 1, got "3" (string)'),
  );
  expect(() => checkPositiveInteger(3n, 'n')).toThrow(typeError('n: expected an integer >= 1, got 3 (bigint)'));
  expect(() => checkInteger(2 ** 53, 'n')).toThrow(rangeError('n: expected an integer, got 9007199254740992 (number)'));
  expect(() => checkSeed(-1)).toThrow(rangeError('seed: expected an integer >= 0, got -1 (number)'));
  expect(checkNumber(0, 'dropout', { min: 0, below: 1 })).toBe(0);
  expect(() => checkNumber(1, 'dropout', { min: 0, below: 1 })).toThrow(
    rangeError('dropout: expected a finite number >= 0 and < 1, got 1 (number)'),
  );
  expect(() => checkNumber(0, 'rate', { above: 0 })).toThrow(
    rangeError('rate: expected a finite number > 0, got 0 (number)'),
  );
  expect(() => checkNumber(2, 'p', { max: 1 })).toThrow(rangeError('p: expected a finite number <= 1, got 2 (number)'));
  expect(() => checkNumber(Number.NaN, 'x')).toThrow(rangeError('x: expected a finite number, got NaN (number)'));
  expect(() => checkNumber(undefined, 'x')).toThrow(typeError('x: expected a finite number, got undefined'));
});

test('other kinds', () => {
  expect(checkBoolean(false, 'bias')).toBe(false);
  expect(() => checkBoolean(0, 'bias')).toThrow(typeError('bias: expected true or false, got 0 (number)'));
  expect(checkString('a', 'path')).toBe('a');
  expect(() => checkString(null, 'path')).toThrow(typeError('path: expected a string, got null'));
  expect(() => checkString('', 'path')).toThrow(
    rangeError('path: expected a string of at least one character, got "" (string)'),
  );
  expect(() => checkFunction(undefined, 'fn')).toThrow(typeError('fn: expected a function, got undefined'));
  expect(checkShape([2, 0], 'shape')).toEqual([2, 0]);
  expect(() => checkShape([2, -1], 'shape')).toThrow(rangeError('shape[1]: expected an integer >= 0, got -1 (number)'));
  expect(() => checkShape(2, 'shape')).toThrow(typeError('shape: expected an array of integers >= 0, got 2 (number)'));
});

test('words and option names suggest the nearest', () => {
  const variants = ['resetAfter', 'resetBefore'] as const;
  expect(checkOneOf('resetAfter', 'variant', variants)).toBe('resetAfter');
  expect(() => checkOneOf('resetbefore', 'variant', variants)).toThrow(
    rangeError(
      'variant: expected one of "resetAfter", "resetBefore", got "resetbefore" (string) (did you mean "resetBefore"?)',
    ),
  );
  expect(() => checkOneOf(1, 'variant', variants)).toThrow(TypeError);
  expect(() => checkOptions(undefined, 'options', ['a'])).toThrow(
    typeError('options: expected an object, got undefined'),
  );
  checkOptions({ a: 1 }, 'options', ['a']);
  expect(() => checkOptions({ hidenSize: 1 }, 'options', ['inputSize', 'hiddenSize'])).toThrow(
    typeError('options: unknown option "hidenSize" (did you mean "hiddenSize"?); known: inputSize, hiddenSize'),
  );
  expect(() => checkOptions(new Float32Array(2), 'options', [])).toThrow(
    typeError('options: expected an object, got Float32Array of 2'),
  );
  expect(() => checkOptions([1], 'options', [])).toThrow(TypeError);
  expect(() => checkOptions(null, 'options', [])).toThrow(TypeError);
});

test('nearest', () => {
  expect(nearest('tempmax', ['temp_min', 'temp_max', 'date'])).toBe('temp_max');
  expect(nearest('xyz', ['temp_max', 'date'])).toBeUndefined();
  expect(nearest('', [])).toBeUndefined();
});

test('values in messages', () => {
  expect(describe(new Map())).toBe('an object (Map)');
  expect(describe(Object.create(null))).toBe('an object');
  expect(describe(() => 1)).toBe('a function');
  expect(describe(Symbol('s'))).toBe('Symbol(s) (symbol)');
  expect(describe(new Array(1000).fill(1))).toBe('an array of 1000');
  expect(describe('x'.repeat(1000))).toHaveLength('"" (string)'.length + 60);
  expect(describe(new DataView(new ArrayBuffer(1)))).toBe('an object (DataView)');
});

test('CudnnGruError carries code and cause', () => {
  const cause = new Error('below');
  const error = new CudnnGruError('ERR_FILE', 'above', { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'CudnnGruError', code: 'ERR_FILE', message: 'above', cause });
});
