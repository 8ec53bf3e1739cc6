import type { data } from 'cudnn-gru';

/**
 * What a table of counts says of an entity at a cut: how often each kind of event came within the last `days` and ever, and the logarithm of the days since the
 * last event.
 */
export function countsAt(
  log: data.EventLog,
  cuts: data.EventCuts,
  chosen: ArrayLike<number>,
  { days = 30 } = {},
): number[][] {
  const names = log.columns.get('kind') as readonly string[];
  const kinds = [...new Set(names)].sort();
  return Array.from(chosen, (cut) => {
    const time = cuts.times[cut] as number;
    const entity = cuts.entities[cut] as number;
    const recent = kinds.map(() => 0);
    const ever = kinds.map(() => 0);
    let last = 0;
    for (let event = log.starts[entity] as number; event < (log.starts[entity + 1] as number); event++) {
      const at = log.times[event] as number;
      if (at > time) break;
      const kind = kinds.indexOf(names[event] as string);
      ever[kind] = (ever[kind] as number) + 1;
      if (at > time - days) recent[kind] = (recent[kind] as number) + 1;
      last = at;
    }
    return [...recent, ...ever, Math.log1p(time - last)];
  });
}
