import { checkString } from '../arguments.js';
import { writeFileAtomically } from '../formats/files.js';
import { type Draw, type Layout, type Plot, shades, startDrawing } from './drawing.js';
import { type Html, html } from './html.js';
import { fixed } from './numbers.js';
import { missing, type ReportFrame, reportPage } from './page.js';
import { figure } from './summary.js';

/** A source, what became of it, and how the two belong together. */
export interface ReportedTranslation {
  readonly source: string;
  readonly answer: string;
  /** What it should become. */
  readonly expected: readonly string[];
  readonly alignment: {
    readonly sourceTokens: readonly string[];
    readonly targetTokens: readonly string[];
    /** [target tokens, source tokens]; rows sum to 1. */
    readonly weights: readonly (readonly number[])[];
  };
}

/** What the report of a translator shows. */
export interface TranslationReport extends ReportFrame {
  /** Errors on pairs that had no part in the training; null for nothing. */
  readonly measured: {
    readonly sources: number;
    readonly tokenErrorRate: number;
    readonly sequenceErrorRate: number;
    /** Hypotheses that beam search followed. */
    readonly width: number;
  } | null;
  readonly examples: readonly ReportedTranslation[];
}

/**
 * Writes a training's report as one HTML file that needs nothing else: no scripts, no network.
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`
 */
export async function writeTranslationReport(path: string, report: TranslationReport): Promise<void> {
  checkString(path, 'path');
  const draw = await startDrawing();
  const { examples } = report;
  const none = missing('No pairs were set aside to look at.');
  const page = reportPage(draw, report, figures(report.measured), [
    {
      id: 'attention',
      heading: 'What was read where',
      content: examples.length > 0 ? attentionMaps(draw, examples.slice(0, mapLimit)) : none,
    },
    { id: 'examples', heading: 'Examples', content: examples.length > 0 ? table(examples) : none },
  ]);
  await writeFileAtomically(path, (file) => file.appendFile(page));
}

function figures(measured: TranslationReport['measured']): Html {
  if (measured === null) return missing('No pairs were set aside to measure on.');
  const { sources, tokenErrorRate, sequenceErrorRate, width } = measured;
  const beside = [`${sources} sources`, `beam search of width ${width}`];
  return html`<div class="figures">${[
    figure('Wrong tokens', fixed(100 * tokenErrorRate, 1), ' %', beside),
    figure('Wrong answers', fixed(100 * sequenceErrorRate, 1), ' %', ['not exactly as expected']),
  ]}</div>`;
}

const mapLimit = 6;

function attentionMaps(draw: Draw, examples: readonly ReportedTranslation[]): Html {
  const maps = examples.map(
    ({ source, answer, alignment }) => html`<figure><figcaption>${source} → ${answer}</figcaption>
${attentionMap(draw, alignment)}</figure>`,
  );
  return html`${maps}
<p class="key">Each row is a token of the answer, from the top down; the darker a cell, the more it looked at that token of the source.</p>`;
}

function attentionMap(draw: Draw, { sourceTokens, targetTokens, weights }: ReportedTranslation['alignment']): Html {
  const cells = weights.flatMap((row, t) => row.map((weight, s) => ({ target: t, source: s, weight })));
  const long = sourceTokens.some((token) => token.length > 3);
  const chart = (plot: Plot, { narrow, width }: Layout) => {
    const [left, most] = [narrow ? 80 : 120, narrow ? 22 : 30];
    const side = Math.min(most, (width - left - 20) / sourceTokens.length);
    return {
      marginLeft: left,
      marginRight: width - left - side * sourceTokens.length,
      marginTop: long ? 80 : 30,
      height: (long ? 90 : 40) + most * targetTokens.length,
      x: {
        axis: 'top' as const,
        label: null,
        domain: sourceTokens.map((_, s) => s),
        tickFormat: (s: number) => sourceTokens[s],
        tickSize: 0,
        ...(long && { tickRotate: -50 }),
      },
      y: {
        label: null,
        domain: targetTokens.map((_, t) => t),
        tickFormat: (t: number) => targetTokens[t],
        tickSize: 0,
      },
      ...shades,
      marks: [
        plot.cell(cells, {
          x: 'source',
          y: 'target',
          fill: 'var(--series-1)',
          fillOpacity: 'weight',
          stroke: 'var(--grid)',
          inset: 0.5,
          title: ({ weight }: { weight: number }) => fixed(weight, 2),
        }),
      ],
    };
  };
  return draw('Attention of each token of the answer to each token of the source', chart);
}

function table(examples: readonly ReportedTranslation[]): Html {
  const rows = examples.map(
    ({ source, answer, expected }) =>
      html`<tr><th scope="row">${source}</th><td>${answer}</td><td>${expected.join(' | ')}</td></tr>`,
  );
  return html`<div class="scroll"><table class="texts"><thead><tr><th scope="col">Source</th><th scope="col">Answer</th><th scope="col">Expected</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
