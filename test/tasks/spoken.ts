import type { tasks } from '../../lib/index.js';

// Each letter has a tone of its own.
const tones: Readonly<Record<string, number>> = { a: 500, b: 900, c: 1400, d: 2100, ' ': 0 };

/** Texts as tones: 120 ms for each letter, with a little noise, and silence between. */
export function spoken(text: string, seed = 1, sampleRate = 8000): tasks.Clip {
  let state = seed;
  const noise = () => {
    state = (state * 48271) % 2147483647;
    return 0.02 * (state / 2147483647 - 0.5);
  };
  const [sound, pause] = [Math.round(0.08 * sampleRate), Math.round(0.04 * sampleRate)];
  const samples = [...text].flatMap((letter) =>
    Array.from({ length: sound + pause }, (_, n) => {
      const frequency = n < sound ? (tones[letter] as number) : 0;
      return noise() + (frequency && 0.4 * Math.sin((2 * Math.PI * frequency * n) / sampleRate));
    }),
  );
  return { audio: { samples: Float32Array.from(samples), sampleRate }, text };
}

const texts = ['ab', 'abba', 'cab', 'dad', 'bad cab', 'add', 'a cab', 'dab', 'baa', 'cd', 'dc ba', 'bc'];

/** Clips with doubled letters and spaces. */
export const spokenTexts = (count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => spoken(texts[(first + i) % texts.length] as string, first + i + 1));
