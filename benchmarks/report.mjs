// The results as a table and as pictures.

const percent = (fraction) => (fraction === undefined ? '–' : `${(100 * fraction).toFixed(0)}%`);
const times = (ratio) => (Number.isNaN(ratio) ? '–' : `${ratio.toFixed(2)} ×`);
const range = (values) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;

/**
 * One row for each case and peer; a ratio above 1 says how many times faster ours is, the last column how many times it could be: with
 * inference at its floor, and training at the peak.
 */
export function markdownTable(results) {
  const lines = [
    '| case | T×B×I→H | threads | ours, ms | GFLOP/s | of peak | of the floor | peer | peer, ms | ratio | spread | ratio at the floor |',
    `|${' --- |'.repeat(12)}`,
  ];
  for (const { kind, shape, threads, gflops, fractionOfPeak, fractionOfFloor, ours, peers } of results) {
    const own = [kind, shape.name, threads, ours.median.toFixed(3), gflops.toFixed(0)];
    own.push(percent(fractionOfPeak), percent(fractionOfFloor));
    const floor = (fractionOfFloor ?? fractionOfPeak) * ours.median;
    for (const peer of peers) {
      const ratios = [`${peer.ratio.toFixed(2)} ×`, range(peer.ratios), times(peer.median / floor)];
      lines.push(`| ${[...own, peer.name, peer.median.toFixed(3), ...ratios].join(' | ')} |`);
    }
    if (peers.length === 0) lines.push(`| ${[...own, '–', '–', '–', '–', '–'].join(' | ')} |`);
  }
  return lines.join('\n');
}

async function draw(options) {
  const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  const { document } = parseHTML('<html><body></body></html>');
  const svg = Plot.plot({ document, style: { background: 'white', fontFamily: 'sans-serif' }, ...options(Plot) });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return svg.outerHTML;
}

/** How many times faster than each peer, by case. */
export async function plotRatios(results) {
  const rows = results
    .filter(({ sweep }) => !sweep)
    .flatMap(({ kind, shape, threads, peers }) =>
      peers.map(({ name, ratio }) => ({ case: `${kind}, ${shape.name}, ${threads} thr.`, peer: name, ratio })),
    );
  if (rows.length === 0) return undefined;
  return draw((Plot) => ({
    width: 900,
    height: 60 + 26 * new Set(rows.map((row) => row.case)).size,
    marginLeft: 330,
    x: { type: 'log', label: 'times faster than the peer (log scale)', grid: true },
    y: { label: null, domain: [...new Set(rows.map((row) => row.case))] },
    color: { legend: false },
    marks: [
      Plot.ruleX([1]),
      Plot.dot(rows, { x: 'ratio', y: 'case', fill: 'peer', r: 5 }),
      Plot.text(rows, {
        x: 'ratio',
        y: 'case',
        text: (row) => `${row.peer.split(' ')[0]} ${row.ratio.toFixed(2)}`,
        dx: 8,
        textAnchor: 'start',
        fontSize: 9,
      }),
    ],
  }));
}

/** GFLOP/s over the size that grows. */
export async function plotSweeps(results) {
  const size = { batch: 'batch', hidden: 'hiddenSize', time: 'time' };
  const rows = results
    .filter(({ sweep }) => sweep)
    .flatMap(({ sweep, shape, gflops, ours, peers }) => [
      { sweep, size: shape[size[sweep]], library: 'cudnn-gru', gflops },
      ...peers.map((peer) => ({
        sweep,
        size: shape[size[sweep]],
        library: peer.name,
        gflops: (gflops * ours.median) / peer.median,
      })),
    ]);
  if (rows.length === 0) return undefined;
  return draw((Plot) => ({
    width: 1000,
    height: 320,
    x: { type: 'log', label: 'size' },
    y: { label: 'GFLOP/s', grid: true, zero: true },
    fx: { label: 'what grows' },
    marks: [
      Plot.line(rows, { x: 'size', y: 'gflops', fx: 'sweep', stroke: 'library', marker: true }),
      Plot.text(
        rows,
        Plot.selectLast({ x: 'size', y: 'gflops', fx: 'sweep', z: 'library', text: 'library', dy: -8, fontSize: 9 }),
      ),
    ],
  }));
}
