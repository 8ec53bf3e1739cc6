// The telephone prompts of the Asterisk exchange with their texts (Digium, CC-BY-SA 3.0), from two Debian packages.
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { audio, type tasks } from 'cudnn-gru';
import { fromDebian } from '../common/fetch.js';

const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** Every prompt that is speech and whose text can be spelt out, in the order of the list. */
export async function readPrompts(most = Number.POSITIVE_INFINITY): Promise<tasks.Clip[]> {
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
