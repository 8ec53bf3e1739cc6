import { checkString } from '../arguments.js';
import { writeFileAtomically } from '../formats/files.js';
import { startDrawing } from './drawing.js';
import { type Html, html } from './html.js';
import { fixed } from './numbers.js';
import { missing, type ReportFrame, reportPage } from './page.js';
import { figure } from './summary.js';

/** What the report of a language model shows. */
export interface TextReport extends ReportFrame {
  /** On text that had no part in the training; null for nothing. */
  readonly measured: {
    readonly bitsPerCharacter: number;
    readonly perplexity: number;
    readonly characters: number;
    /** The share of tokens that the vocabulary lacks. */
    readonly unknown: number;
  } | null;
  /** Text token by token, with the bits of each: -log2 p. */
  readonly passage: { readonly tokens: readonly string[]; readonly bits: readonly number[] };
  /** What the model wrote. */
  readonly samples: readonly { readonly temperature: number; readonly prompt: string; readonly text: string }[];
}

/**
 * Writes a training's report as one HTML file that needs nothing else: no scripts, no network.
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`
 */
export async function writeTextReport(path: string, report: TextReport): Promise<void> {
  checkString(path, 'path');
  const draw = await startDrawing();
  const page = reportPage(draw, report, figures(report.measured), [
    { id: 'surprise', heading: 'What was foreseen, and what was not', content: surprise(report.passage) },
    { id: 'samples', heading: 'What it writes', content: samples(report.samples) },
  ]);
  await writeFileAtomically(path, (file) => file.appendFile(page));
}

function figures(measured: TextReport['measured']): Html {
  if (measured === null) return missing('No text was set aside to measure on.');
  const { bitsPerCharacter, perplexity, characters, unknown } = measured;
  return html`<div class="figures">${[
    figure('Bits per character', fixed(bitsPerCharacter, 3), '', [`${characters} characters`]),
    figure('Perplexity of a token', fixed(perplexity, 2), '', [`${fixed(100 * unknown, 2)} % unknown`]),
  ]}</div>`;
}

// As dark as it gets.
const fullBits = 8;
const darkest = 70;

function surprise({ tokens, bits }: TextReport['passage']): Html {
  const spans = tokens.map((token, i) => {
    const value = bits[i] as number;
    const share = Math.round((darkest * Math.min(value, fullBits)) / fullBits);
    const colour = `background: color-mix(in srgb, var(--series-2) ${share}%, transparent)`;
    return html`<span style="${colour}" title="${fixed(value, 1)} bits">${token}</span>`;
  });
  // One after the other, with nothing between.
  const text = spans.reduce((before, span) => html`${before}${span}`, html``);
  return html`<p class="passage">${text}</p>
<p class="key">The darker a token, the less the model expected it after what stands before: white for 0 bits, darkest from ${fullBits} bits on.</p>`;
}

function samples(all: TextReport['samples']): Html {
  return html`${all.map(
    ({ temperature, prompt, text }) => html`<figure><figcaption>Temperature ${temperature}</figcaption>
<p class="passage"><strong>${prompt}</strong>${text}</p></figure>`,
  )}`;
}
