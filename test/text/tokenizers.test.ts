import { describe, expect, it } from 'vitest';
import {
  CharacterTokenizer,
  SubwordTokenizer,
  specialTokens,
  type Tokenizer,
  tokenizerFromJson,
  WordTokenizer,
} from '../../lib/text/index.js';
import { fc } from '../fast_check.js';

const texts = ['the whale swam', 'the white whale', "the captain's whale-boat (new), the old one!", 'Ünïcödé 🐋 the'];

const kinds: [string, () => Tokenizer | Promise<Tokenizer>][] = [
  ['characters', () => CharacterTokenizer.of(texts)],
  ['words', () => WordTokenizer.of(texts)],
  ['subwords', () => SubwordTokenizer.of(texts, { pieces: 40 })],
];

describe.each(kinds)('%s', (_, make) => {
  it('text that it knows comes back', async () => {
    const tokenizer = await make();
    for (const text of texts) {
      const tokens = tokenizer.encode(text);
      expect(tokens.every((token) => token > specialTokens.end && token < tokenizer.vocabularySize)).toBe(true);
      expect(tokenizer.decode(tokens)).toBe(text);
    }
    expect([...tokenizer.encode('')]).toEqual([]);
    expect(tokenizer.decode([])).toBe('');
  });

  it('goes through JSON', async () => {
    const tokenizer = await make();
    const again = tokenizerFromJson(JSON.parse(JSON.stringify(tokenizer)));
    expect(again.vocabularySize).toBe(tokenizer.vocabularySize);
    for (const text of [...texts, 'something new, unheard of']) {
      expect(again.encode(text)).toEqual(tokenizer.encode(text));
    }
  });

  it('what it does not know is the unknown token; special tokens have no text', async () => {
    const tokenizer = await make();
    expect([...tokenizer.encode('漢')]).toContain(specialTokens.unknown);
    const { padding, unknown, start, end } = specialTokens;
    expect(tokenizer.decode([start, end, padding])).toBe('');
    expect(tokenizer.decode([unknown])).toBe('�');
    expect(() => tokenizer.decode([tokenizer.vocabularySize])).toThrow(/token/);
    expect([...tokenizer.encode('<pad> </s>')].every((token) => token === unknown || token > end)).toBe(true);
  });

  it('any text is encoded, and its tokens are in the vocabulary', async () => {
    const tokenizer = await make();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const tokens = tokenizer.encode(text);
        expect(tokens.every((token) => token > 0 && token < tokenizer.vocabularySize)).toBe(true);
        expect(typeof tokenizer.decode(tokens)).toBe('string');
      }),
      { seed: 1 },
    );
    expect(() => tokenizer.encode(3 as never)).toThrow(TypeError);
  });
});

describe('options', () => {
  it('rare and too many words are left out, the most frequent stay', () => {
    const tokenizer = WordTokenizer.of(texts, { maxWords: 2 });
    expect(tokenizer.vocabularySize).toBe(6);
    expect(tokenizer.decode(tokenizer.encode('the whale swam'))).toBe('the whale �');
    expect(WordTokenizer.of(texts, { minCount: 2 }).vocabularySize).toBe(6);
    expect(CharacterTokenizer.of(['aab'], { minCount: 2 }).vocabularySize).toBe(5);
  });

  it('lower case, and tokens between white space', () => {
    const lower = WordTokenizer.of(['The THE the'], { lowerCase: true });
    expect(lower.vocabularySize).toBe(5);
    const phonemes = WordTokenizer.of(['AH0 B AW1 T', 'K AE1 T .'], { split: 'whitespace' });
    expect(phonemes.decode(phonemes.encode('K  AE1\nT .'))).toBe('K AE1 T .');
  });

  it('subwords: frequent words become one token, new ones are spelt', async () => {
    const tokenizer = await SubwordTokenizer.of(['low low low low lower newest newest newest widest'], { pieces: 30 });
    expect(tokenizer.encode('low')).toHaveLength(1);
    expect(tokenizer.encode('newest')).toHaveLength(1);
    expect(tokenizer.decode(tokenizer.encode('west wide snow'))).toBe('west wide snow');
  });
});

it('bad texts and files are refused', async () => {
  expect(() => CharacterTokenizer.of('abc')).toThrow(TypeError);
  expect(() => WordTokenizer.of([1] as never)).toThrow(TypeError);
  await expect(SubwordTokenizer.of(['a'], { pieces: 0 })).rejects.toThrow(RangeError);
  for (const json of [
    null,
    {},
    { kind: 'letters' },
    { kind: 'characters', pieces: 'abc' },
    { kind: 'characters', pieces: ['a', 'a'] },
    { kind: 'characters', pieces: ['<pad>'] },
    { kind: 'words', pieces: ['a'] },
    { kind: 'words', split: 'words', pieces: [''] },
    { kind: 'subwords', characters: ['a'], merges: ['ab'] },
  ]) {
    expect(() => tokenizerFromJson(json), JSON.stringify(json)).toThrow(
      expect.objectContaining({ code: 'ERR_FORMAT' }),
    );
  }
});
