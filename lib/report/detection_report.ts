import { checkString } from '../arguments.js';
import { writeFileAtomically } from '../formats/files.js';
import { type Draw, grid, type Layout, type Plot, sides, startDrawing } from './drawing.js';
import { type Html, html } from './html.js';
import { short } from './numbers.js';
import { missing, type ReportFrame, reportPage } from './page.js';
import { figure } from './summary.js';

/** What the report of an anomaly detector shows. */
export interface DetectionReport extends ReportFrame {
  /** A score above it is an alarm. */
  readonly threshold: number;
  /** Average precision on labelled rows that the training has not seen; null without such. */
  readonly evaluation: { readonly model: number; readonly baselines: Readonly<Record<string, number>> } | null;
  readonly series: readonly {
    readonly name: string;
    /** [rows]. */
    readonly scores: ArrayLike<number>;
    /** 1 for a row that is known to be anomalous: [rows]; null without labels. */
    readonly labels: ArrayLike<number> | null;
  }[];
}

/**
 * Writes a training's report as one HTML file that needs nothing else: no scripts, no network.
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`
 */
export async function writeDetectionReport(path: string, report: DetectionReport): Promise<void> {
  checkString(path, 'path');
  const draw = await startDrawing();
  const { threshold, series, evaluation } = report;
  const alarms = series.reduce(
    (sum, { scores }) => sum + Array.from(scores).filter((score) => score > threshold).length,
    0,
  );
  const rows = series.reduce((sum, { scores }) => sum + scores.length, 0);
  const numbers = html`<div class="figures">${[
    figure('Threshold', short(threshold, 3), '', ['a normal row scores about 1']),
    figure('Alarms', String(alarms), '', [`of ${rows} rows`]),
    ...(evaluation
      ? [
          figure(
            'Average precision',
            evaluation.model.toFixed(3),
            '',
            Object.entries(evaluation.baselines).map(([name, value]) => `${name} ${value.toFixed(3)}`),
          ),
        ]
      : []),
  ]}</div>`;
  const page = reportPage(draw, report, numbers, [
    { id: 'scores', heading: 'Scores over time', content: timelines(draw, report) },
  ]);
  await writeFileAtomically(path, (file) => file.appendFile(page));
}

// More series than this nobody looks at, and more points a picture does not hold.
const seriesLimit = 8;
const pointLimit = 1200;

function timelines(draw: Draw, { series, threshold }: DetectionReport): Html {
  if (series.length === 0) return missing('No rows were scored.');
  const shown = series.slice(0, seriesLimit);
  const figures = shown.map(
    ({ name, scores, labels }) => html`<figure><figcaption>${name || 'All rows'}</figcaption>
${timeline(draw, scores, labels, threshold)}</figure>`,
  );
  const rest = html`<p class="key">The first ${seriesLimit} of ${series.length} series.</p>`;
  return html`${figures}
<p class="key">The line is the largest score of each stretch of rows, dashed the threshold. Shaded: rows that are labelled as anomalous.</p>
${series.length > seriesLimit ? rest : html``}`;
}

function timeline(draw: Draw, scores: ArrayLike<number>, labels: ArrayLike<number> | null, threshold: number): Html {
  const stretch = Math.max(1, Math.ceil(scores.length / pointLimit));
  const points = Array.from({ length: Math.ceil(scores.length / stretch) }, (_, i) => {
    const rows = Array.from({ length: Math.min(stretch, scores.length - i * stretch) }, (_, k) => i * stretch + k);
    return {
      row: i * stretch,
      // The axis is logarithmic.
      score: Math.max(1e-2, ...rows.map((row) => scores[row] as number)),
      labelled: rows.some((row) => labels?.[row] === 1),
    };
  });
  const marked = points.filter(({ labelled }) => labelled);
  const chart = (plot: Plot, { narrow }: Layout) => ({
    ...sides,
    height: narrow ? 200 : 240,
    marginBottom: 40,
    x: { label: 'Row', ticks: narrow ? 4 : 12 },
    y: { label: 'Score', type: 'log' as const, nice: true },
    marks: [
      grid(plot),
      plot.ruleX(marked, { x: 'row', stroke: 'var(--series-2)', strokeOpacity: 0.35, strokeWidth: 2 }),
      plot.lineY(points, { x: 'row', y: 'score', stroke: 'var(--series-1)', strokeWidth: 1.25 }),
      plot.ruleY([threshold], { stroke: 'var(--ink)', strokeDasharray: '5 4' }),
    ],
  });
  return draw('The score of each row', chart);
}
