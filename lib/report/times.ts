const isoTime = /^\d{4}-\d{2}-\d{2}/;

/** Labels of rows as dates; null when they are no ISO dates or times. A time without a zone is read as UTC. */
export function datesOf(times: readonly string[]): Date[] | null {
  const dates = times.map((time) => new Date(/T[\d:.]+$/.test(time) ? `${time}Z` : time));
  const sound = times.every((time, i) => isoTime.test(time) && !Number.isNaN(dates[i]?.getTime()));
  return sound && times.length > 0 ? dates : null;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
// Name of a step, and its length from and to.
const steps: readonly (readonly [name: string, from: number, to: number])[] = [
  ['minute', HOUR / 60, HOUR / 60],
  ['hour', HOUR, HOUR],
  ['day', DAY, DAY],
  ['week', 7 * DAY, 7 * DAY],
  ['month', 28 * DAY, 31 * DAY],
  ['year', 365 * DAY, 366 * DAY],
];

/** What one step from row to row is called: 'day' when that is the median distance of the rows, 'step' when it has no name. */
export function stepName(times: readonly string[]): string {
  const dates = datesOf(times);
  if (dates === null || dates.length < 2) return 'step';
  const distances = dates.slice(1).map((date, i) => date.getTime() - (dates[i] as Date).getTime());
  const usual = distances.sort((a, b) => a - b)[Math.floor((distances.length - 1) / 2)] as number;
  return steps.find(([, from, to]) => usual >= from && usual <= to)?.[0] ?? 'step';
}

/** '1 day', '7 days' */
export function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** 'Days ahead' */
export function stepsAhead(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}s ahead`;
}
