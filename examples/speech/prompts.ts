// The telephone prompts of the Asterisk exchange with their texts (Digium, CC-BY-SA 3.0), from two Debian packages.
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { audio, data, type tasks } from 'cudnn-gru';
import { fromDebian } from '../common/fetch.js';

const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** How both examples train on them. */
export const promptTraining = (short: boolean) => ({
  numLayers: short ? 1 : 3,
  dropout: short ? 0 : 0.3,
  speeds: short ? [1] : [0.9, 1, 1.1],
  epochs: short ? 4 : 25,
  batchSize: short ? 4 : 16,
  learningRate: 0.003,
});

/** The prompts in three parts: the same ones whatever the seed, and no text of the test is said in training. */
export async function readPromptParts(most?: number) {
  const clips = await readPrompts(most);
  const split = data.randomSplit(clips.length, { validation: 0.08, test: 0.15, seed: 0 });
  const part = (indices: Int32Array) => Array.from(indices, (index) => clips[index] as tasks.Clip);
  const train = part(split.train);
  // Some texts are there twice: what is said in training is no test.
  const learnt = new Set(train.map(({ text }) => text));
  const parts = {
    train,
    validation: part(split.validation),
    test: part(split.test).filter(({ text }) => !learnt.has(text)),
  };
  const minutes = (list: readonly tasks.Clip[]) =>
    list.reduce((sum, { audio }) => sum + audio.samples.length / audio.sampleRate / 60, 0).toFixed(1);
  const { validation, test } = parts;
  console.log(
    `Prompts: ${train.length} to learn from (${minutes(train)} minutes), ${validation.length} to choose the epoch`,
  );
  console.log(`and the search, ${test.length} for the test (${minutes(test)} minutes).`);
  return parts;
}

// Every prompt that is speech and whose text can be spelt out, in the order of the list.
async function readPrompts(most = Number.POSITIVE_INFINITY): Promise<tasks.Clip[]> {
  const texts = `${fromDebian('asterisk-core-sounds-en')}/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz`;
  const sounds = `${fromDebian('asterisk-core-sounds-en-wav')}/usr/share/asterisk/sounds/en_US_f_Allison`;
  const clips: tasks.Clip[] = [];
  for (const line of gunzipSync(readFileSync(texts)).toString('utf8').split(/\r?\n/)) {
    const [, name, written] = /^([^;:]+):(.*)$/.exec(line) ?? [];
    const text = written && spelt(written.trim());
    const path = `${sounds}/${name}.wav`;
    if (!text || clips.length >= most || !existsSync(path)) continue;
    clips.push({ audio: await audio.readWav(path), text });
  }
  return clips;
}

// Small letters, apostrophes and spaces; nothing for tones and silence, and where it is not clear how a number or sign is said.
function spelt(text: string): string | undefined {
  if (/^[[<(]|[*#()]|\d\d|\.\d/.test(text)) return undefined;
  const words = text
    .toLowerCase()
    .replace(/\[.\]/g, ' ')
    .replace(/\d/g, (digit) => ` ${digits[Number(digit)]} `)
    .replace(/[^a-z' ]/g, ' ');
  return words.trim().replace(/ +/g, ' ');
}
