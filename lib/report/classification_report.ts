import { checkString } from '../arguments.js';
import { writeFileAtomically } from '../formats/files.js';
import { type Draw, diagonal, grid, type Layout, type Plot, shades, startDrawing } from './drawing.js';
import { type Html, html } from './html.js';
import { fixed } from './numbers.js';
import { missing, type ReportFrame, reportPage } from './page.js';
import { figure } from './summary.js';

/** What the report of a classifier shows. */
export interface ClassificationReport extends ReportFrame {
  readonly classes: readonly string[];
  /** What was measured on examples that had no part in the training; null for nothing. */
  readonly measured: {
    readonly examples: number;
    readonly accuracy: number;
    readonly majorityAccuracy: number;
    readonly macroF1: number;
    readonly logLoss: number;
    readonly rocAuc: number | null;
    /** [classes, classes]: a row for each label, a column for each prediction. */
    readonly confusion: ArrayLike<number>;
    readonly precision: readonly number[];
    readonly recall: readonly number[];
    readonly f1: readonly number[];
    readonly support: readonly number[];
    /** The points of the reliability diagram: [bins] each, NaN in an empty bin. */
    readonly confidence: readonly number[];
    readonly accuracyOfBins: readonly number[];
    readonly counts: readonly number[];
  } | null;
}

/**
 * Writes a training's report as one HTML file that needs nothing else: no scripts, no network.
 *
 * @throws TypeError; CudnnGruError `ERR_FILE`
 */
export async function writeClassificationReport(path: string, report: ClassificationReport): Promise<void> {
  checkString(path, 'path');
  const draw = await startDrawing();
  const { measured, classes } = report;
  const none = missing('No examples were set aside to measure on.');
  const page = reportPage(draw, report, measured ? figures(measured) : none, [
    { id: 'confusion', heading: 'Labels and answers', content: measured ? confusion(draw, measured, classes) : none },
    {
      id: 'reliability',
      heading: 'Are the probabilities true?',
      content: measured ? reliability(draw, measured) : none,
    },
  ]);
  await writeFileAtomically(path, (file) => file.appendFile(page));
}

type Measured = NonNullable<ClassificationReport['measured']>;

const percent = (share: number) => fixed(100 * share, 1);

function figures({ accuracy, majorityAccuracy, macroF1, logLoss, rocAuc, examples }: Measured): Html {
  const shown = [
    figure('Accuracy', percent(accuracy), ' %', [
      `most frequent class ${percent(majorityAccuracy)} %`,
      `${examples} examples`,
    ]),
    figure('Macro F1', fixed(macroF1, 3), '', []),
    figure('Log loss', fixed(logLoss, 3), '', []),
    ...(rocAuc === null ? [] : [figure('ROC AUC', fixed(rocAuc, 3), '', [])]),
  ];
  return html`<div class="figures">${shown}</div>`;
}

// Beyond so many classes the cells hold no numbers.
const cellTextLimit = 12;

function confusion(draw: Draw, measured: Measured, classes: readonly string[]): Html {
  const count = classes.length;
  const cells = classes.flatMap((label, row) =>
    classes.map((answer, column) => {
      const value = measured.confusion[row * count + column] as number;
      return { label, answer, value, share: value / Math.max(1, measured.support[row] as number) };
    }),
  );
  const chart = (plot: Plot, { narrow, width }: Layout) => ({
    marginLeft: narrow ? 80 : 140,
    marginBottom: 60,
    height: 90 + Math.min(count * 44, narrow ? width : 620),
    x: { label: 'Answer', domain: classes, ...(count > 6 && { tickRotate: -40 }) },
    y: { label: 'Label', domain: classes },
    ...shades,
    marks: [
      plot.cell(cells, {
        x: 'answer',
        y: 'label',
        fill: 'var(--series-1)',
        fillOpacity: 'share',
        stroke: 'var(--grid)',
        inset: 0.5,
      }),
      ...(count > cellTextLimit
        ? []
        : [
            plot.text(cells, {
              x: 'answer',
              y: 'label',
              text: (one: { value: number }) => String(one.value),
              fill: 'var(--ink)',
            }),
          ]),
    ],
  });
  const rows = classes.map(
    (name, c) =>
      html`<tr><th scope="row">${name}</th><td>${fixed(measured.precision[c], 3)}</td><td>${fixed(measured.recall[c], 3)}</td><td>${fixed(measured.f1[c], 3)}</td><td>${measured.support[c] as number}</td></tr>`,
  );
  return html`<figure><figcaption>How often each label (row) was taken for each class (column)</figcaption>
${draw('Confusion matrix', chart)}</figure>
<div class="scroll"><table><thead><tr><th scope="col">Class</th><th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">F1</th><th scope="col">Examples</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function reliability(draw: Draw, { confidence, accuracyOfBins, counts }: Measured): Html {
  const most = Math.max(...counts);
  const points = counts.flatMap((count, bin) =>
    count > 0 ? [{ confidence: confidence[bin] as number, accuracy: accuracyOfBins[bin] as number, count }] : [],
  );
  const chart = (plot: Plot, { narrow }: Layout) => ({
    marginLeft: 52,
    marginBottom: 42,
    height: narrow ? 320 : 420,
    x: { label: 'Probability of the answer', domain: [0, 1] },
    y: { label: 'Share of right answers', domain: [0, 1] },
    marks: [
      grid(plot),
      diagonal(plot),
      plot.dot(points, {
        x: 'confidence',
        y: 'accuracy',
        r: (one: { count: number }) => 3 + 12 * Math.sqrt(one.count / most),
        fill: 'var(--series-1)',
        fillOpacity: 0.6,
        title: (one: { count: number }) => `${one.count} examples`,
      }),
    ],
  });
  return html`<figure><figcaption>Reliability</figcaption>
${draw('Share of right answers by their probability', chart)}</figure>
<p class="key">On the dashed line an answer of probability p is right p of the time; below it the model is too sure. Large dots stand for many examples.</p>`;
}
