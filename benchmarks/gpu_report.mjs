// The tables of gpu.mjs.

const milliseconds = (value) => (value === undefined ? '–' : value.toFixed(3));
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (heads, rows) => [row(heads), `|${' --- |'.repeat(heads.length)}`, ...rows.map(row)].join('\n');

/** What gpu.mjs found, as Markdown. `leftOut`: the cases that there was no time for. */
export function gpuMarkdown({ gpu, effort, results, missing, leftOut }) {
  const { rounds, repeats } = effort;
  const parts = [
    `${gpu}; medians of ${rounds} interleaved rounds of ${repeats} calls, each queued and waited for once; ms a call; a ratio is the peer's time over ours`,
    table(['case', 'T×B×I→H', 'precision', 'ours', 'peer', "peer's", 'ratio', 'goal'], results.flatMap(comparisons)),
  ];
  const steps = results.filter(({ ours }) => ours?.details?.javascript !== undefined);
  if (steps.length > 0) {
    parts.push(
      'JavaScript of a training step, its median:',
      table(
        ['T×B×I→H', 'precision', 'ms of JavaScript', 'ms of the step'],
        steps.map(({ shape, precision, ours }) => [
          shape,
          precision,
          milliseconds(ours.details.javascript),
          milliseconds(ours.median),
        ]),
      ),
    );
  }
  const candidates = results.flatMap(candidateRows);
  if (candidates.length > 0) {
    parts.push(
      'What raw cuDNN tried, ms a call; the fastest is the peer above. What took more than twice the fastest was timed with two calls only:',
      table(['case', 'T×B×I→H', 'precision', 'candidate', 'ms'], candidates),
    );
  }
  for (const { kind, shape, precision, errors } of results)
    for (const error of errors) parts.push(`Error: ${kind}, ${shape}, ${precision}: ${error}`);
  for (const reason of missing) parts.push(`Missing: ${reason}`);
  if (leftOut.length > 0) {
    const names = leftOut.map(({ kind, shape, precision }) => `${kind} ${shape.name} ${precision}`);
    parts.push(`Left out, ${leftOut.length} cases: ${names.join('; ')}`);
  }
  return parts.join('\n\n');
}

function comparisons({ kind, shape, precision, goals, ours, peers }) {
  const start = [kind, shape, precision, milliseconds(ours?.median)];
  if (peers.length === 0) return [[...start, '–', '–', '–', '–']];
  return peers.map((peer) => {
    const goal = goals?.[peer.name.split(' ')[0]];
    const verdict = goal === undefined ? '–' : `≥ ${goal} ${peer.ratio >= goal ? 'met' : 'MISSED'}`;
    const name = peer.details?.chosen ? `${peer.name} (${peer.details.chosen})` : peer.name;
    return [...start, name, milliseconds(peer.median), `${peer.ratio.toFixed(2)} ×`, verdict];
  });
}

function candidateRows({ kind, shape, precision, peers }) {
  const raw = peers.find(({ details }) => details?.candidates);
  return (raw?.details.candidates ?? []).map(({ name, ms, refused }) => [
    kind,
    shape,
    precision,
    name,
    refused ?? milliseconds(ms),
  ]);
}
