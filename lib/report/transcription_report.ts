import { checkString } from '../arguments.js';
import { writeFileAtomically } from '../formats/files.js';
import { type Draw, type Layout, type Plot, sides, startDrawing } from './drawing.js';
import { type Html, html, nothing } from './html.js';
import { extent, fixed } from './numbers.js';
import { missing, type ReportFrame, reportPage } from './page.js';
import { pngAddress } from './png.js';
import { figure } from './summary.js';

/** A sound as a picture, with what was heard where. */
export interface ReportedClip {
  /** Logarithmic energies, [frames, bands], the lowest band first. */
  readonly spectrogram: ArrayLike<number>;
  readonly bands: number;
  readonly seconds: number;
  /** What is said. */
  readonly text: string;
  /** Words with the second at which each begins. */
  readonly heard: readonly { readonly word: string; readonly time: number }[];
}

/** What the report of a transcriber shows. */
export interface TranscriptionReport extends ReportFrame {
  /** What was measured on clips that had no part in the training; null for nothing. */
  readonly measured: {
    readonly clips: number;
    readonly characterErrorRate: number;
    readonly wordErrorRate: number;
    readonly wrongClips: number;
    readonly transcripts: readonly { readonly text: string; readonly heard: string }[];
  } | null;
  readonly clips: readonly ReportedClip[];
}

/**
 * Writes a training's report as one HTML file that needs nothing else: no scripts, no network.
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`
 */
export async function writeTranscriptionReport(path: string, report: TranscriptionReport): Promise<void> {
  checkString(path, 'path');
  const draw = await startDrawing();
  const { measured, clips } = report;
  const none = missing('No clips were set aside to measure on.');
  const page = reportPage(draw, report, measured ? figures(measured) : none, [
    {
      id: 'clips',
      heading: 'What was heard where',
      content: clips.length > 0 ? html`${clips.map((clip) => spectrogram(draw, clip))}` : none,
    },
    { id: 'transcripts', heading: 'Texts and transcripts', content: measured ? transcripts(measured) : none },
  ]);
  await writeFileAtomically(path, (file) => file.appendFile(page));
}

type Measured = NonNullable<TranscriptionReport['measured']>;

function figures({ characterErrorRate, wordErrorRate, wrongClips, clips }: Measured): Html {
  return html`<div class="figures">${[
    figure('Character error rate', fixed(100 * characterErrorRate, 1), ' %', [`${clips} clips`]),
    figure('Word error rate', fixed(100 * wordErrorRate, 1), ' %', []),
    figure('Clips with an error', fixed((100 * wrongClips) / clips, 1), ' %', []),
  ]}</div>`;
}

function spectrogram(draw: Draw, clip: ReportedClip): Html {
  const { spectrogram: energies, bands, seconds, text, heard } = clip;
  const frames = energies.length / bands;
  const [least, largest] = extent(Array.from(energies)) ?? [0, 1];
  // Rows from the highest band down.
  const picture = Float32Array.from({ length: energies.length }, (_, i) => {
    const [row, frame] = [Math.floor(i / frames), i % frames];
    return ((energies[frame * bands + bands - 1 - row] as number) - least) / (largest - least || 1);
  });
  const src = pngAddress(picture, frames, bands);
  const chart = (plot: Plot, { narrow, width }: Layout) => {
    const [height, marginBottom] = narrow ? [240, 84] : [270, 68];
    return {
      ...sides,
      marginTop: 20,
      marginBottom,
      height,
      x: { label: 'Seconds', domain: [0, seconds], labelOffset: marginBottom - 2 },
      y: { label: 'Mel band', domain: [0, bands] },
      marks: [
        plot.image([0], {
          src: () => src,
          x: seconds / 2,
          y: bands / 2,
          width: width - sides.marginLeft - sides.marginRight,
          height: height - 20 - marginBottom,
          preserveAspectRatio: 'none',
        }),
        // Neighbours stand in different lines, so that they do not run into each other.
        ...[0, 1, 2].map((line) =>
          plot.text(
            heard.filter((_, i) => i % (narrow ? 3 : 2) === line),
            {
              x: 'time',
              frameAnchor: 'bottom' as const,
              text: 'word',
              textAnchor: 'start' as const,
              dy: 34 + 14 * line,
              fill: 'var(--ink)',
            },
          ),
        ),
        plot.ruleX(heard, { x: 'time', stroke: 'white', strokeOpacity: 0.5 }),
      ],
    };
  };
  return html`<figure><figcaption>“${text}”</figcaption>
${draw(`Spectrogram of “${text}” with the words that were heard below the places where they begin`, chart)}</figure>`;
}

// More lines than this nobody reads.
const rowLimit = 200;

function transcripts({ transcripts: all }: Measured): Html {
  const rows = all
    .slice(0, rowLimit)
    .map(
      ({ text, heard }) =>
        html`<tr><th scope="row">${text}</th><td class="${text === heard ? '' : 'best'}">${heard}</td></tr>`,
    );
  return html`<div class="scroll groups"><table><thead><tr><th scope="col">Said</th><th scope="col" style="text-align: left">Heard</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="key">Heavy and blue: not exactly what is said.</p>
${all.length > rowLimit ? html`<p class="key">The first ${rowLimit} of ${all.length} clips.</p>` : nothing}`;
}
