const DAY = 86_400_000;

/** Columns that are 1 on a holiday of the United States, on the days beside one, and on the thirteenth of a month. */
export function holidaysOf(dates: readonly string[]): Map<string, Float64Array> {
  const holidays = new Set(dates.flatMap((date) => holidaysIn(Number(date.slice(0, 4)))));
  const column = (of: (time: number) => boolean) => Float64Array.from(dates, (date) => Number(of(Date.parse(date))));
  return new Map([
    ['holiday', column((time) => holidays.has(time))],
    ['before', column((time) => holidays.has(time + DAY))],
    ['after', column((time) => holidays.has(time - DAY))],
    ['christmas', column((time) => /-12-2[3-6]$/.test(new Date(time).toISOString().slice(0, 10)))],
    ['thirteenth', column((time) => new Date(time).getUTCDate() === 13)],
  ]);
}

function holidaysIn(year: number): number[] {
  return [
    Date.UTC(year, 0, 1),
    Date.UTC(year, 6, 4),
    Date.UTC(year, 11, 25),
    nth(year, 4, 1, -1), // Memorial Day
    nth(year, 8, 1, 1), // Labor Day
    nth(year, 10, 4, 4), // Thanksgiving
    nth(year, 10, 4, 4) + DAY,
  ];
}

/** The n-th of a day of the week (0: Sunday) in a month; -1 is the last. */
function nth(year: number, month: number, weekday: number, n: number): number {
  if (n < 0) {
    const last = new Date(Date.UTC(year, month + 1, 0));
    return last.getTime() - ((last.getUTCDay() - weekday + 7) % 7) * DAY;
  }
  const first = new Date(Date.UTC(year, month, 1));
  return first.getTime() + (((weekday - first.getUTCDay() + 7) % 7) + 7 * (n - 1)) * DAY;
}
