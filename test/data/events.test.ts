import { describe, expect, test } from 'vitest';
import type { Table } from '../../lib/data/csv.js';
import { data } from '../../lib/index.js';
import { fc } from '../fast_check.js';

const { EventDataset, encodedSize, eventCuts, eventLog, fitEventEncoding, splitCuts } = data;

function tableOf(columns: Record<string, readonly string[] | readonly number[]>): Table {
  const entries = Object.entries(columns).map(([name, values]): [string, Float64Array | string[]] => [
    name,
    typeof values[0] === 'number' ? Float64Array.from(values as number[]) : [...(values as string[])],
  ]);
  return {
    source: 'events.csv',
    rows: (Object.values(columns)[0] as readonly unknown[]).length,
    columns: new Map(entries),
  };
}

const small = tableOf({
  who: ['b', 'a', 'b', 'a', 'a', 'b'],
  when: [2, 1, 0, 9, 4, 6],
  kind: ['buy', 'see', 'see', 'buy', 'see', 'see'],
  amount: [5, 0, 0, 7, 0, 0],
});
const log = () => eventLog(small, { entity: 'who', time: 'when', features: ['kind', 'amount'] });

describe('eventLog', () => {
  test('sorts by entity in the order of the table, then by time', () => {
    const { entities, starts, times, columns, rows } = log();
    expect(entities).toEqual(['b', 'a']);
    expect([...starts]).toEqual([0, 3, 6]);
    expect([...times]).toEqual([0, 2, 6, 1, 4, 9]);
    expect(columns.get('kind')).toEqual(['see', 'buy', 'see', 'see', 'see', 'buy']);
    expect([...rows]).toEqual([2, 0, 5, 1, 4, 3]);
  });

  test('dates are counted in days', () => {
    const dated = tableOf({ who: ['a', 'a'], when: ['2020-01-02T12:00', '2020-01-01'], x: [1, 2] });
    const { times } = eventLog(dated, { entity: 'who', time: 'when', features: ['x'] });
    expect((times[1] as number) - (times[0] as number)).toBe(1.5);
  });

  test('bad cells and columns are named', () => {
    const bad = tableOf({ who: ['a', ''], when: ['2020-01-02', 'soon'], x: [1, 2] });
    expect(() => eventLog(bad, { entity: 'who', time: 'x', features: [] })).toThrow(
      /row 3, column "who": the cell is empty/,
    );
    expect(() => eventLog(bad, { entity: 'x', time: 'when', features: [] })).toThrow(/row 3, column "when": .*"soon"/);
    expect(() => eventLog(bad, { entity: 'x', time: 'x', features: ['y'] })).toThrow(/no column "y"/);
  });
});

describe('cuts', () => {
  test('silence: only of entities that were heard of within the horizon', () => {
    // Cuts at 2, 4 and 6; the outcome of the one at 8 is not known.
    const cuts = eventCuts(log(), { target: 'silence', horizon: 3, every: 2 });
    expect([...cuts.times]).toEqual([2, 2, 4, 4, 6, 6]);
    expect([...cuts.entities]).toEqual([0, 1, 0, 1, 0, 1]);
    // b is heard of at 0, 2 and 6, a at 1, 4 and 9.
    expect([...cuts.labels]).toEqual([1, 0, 0, 1, 1, 0]);
  });

  test('event: a marked one in the horizon, its end included', () => {
    const marks = [0, 1, 0, 0, 0, 1];
    const cuts = eventCuts(log(), { target: 'event', marks, horizon: 3, every: 2 });
    expect([...cuts.labels]).toEqual([0, 0, 0, 0, 0, 1]);
    // At 6, a was last heard of at 4; b is still asked about 5 after its last event, though silent.
    expect(() => eventCuts(log(), { target: 'event', horizon: 3 })).toThrow(
      /marks: expected one number for each event/,
    );
    expect(() => eventCuts(log(), { target: 'silence', marks, horizon: 3 })).toThrow(TypeError);
    expect(() => eventCuts(log(), { target: 'event', marks: [1], horizon: 3 })).toThrow(/6 numbers/);
    expect(() => eventCuts(log(), { target: 'silence', horizon: 9 })).toThrow(/not one cut/);
  });
});

describe('encoding', () => {
  test('values and scales come from the events until then, and the closing step tells the time since', () => {
    const encoding = fitEventEncoding(log(), 1);
    expect(encoding.features).toEqual([
      { name: 'kind', values: ['see'] },
      { name: 'amount', values: null },
    ]);
    expect(encodedSize(encoding)).toBe(4);
    const cuts = eventCuts(log(), { target: 'silence', horizon: 3, every: 2 });
    const dataset = new EventDataset(log(), cuts, encoding, { window: 2 });
    expect(dataset.lengthOf(0)).toBe(3);
    const { inputs, lengths, targets } = dataset.get([4]); // b at 6, whose last two events are at 2 and 6
    expect([...(lengths as Int32Array)]).toEqual([3]);
    expect([...targets.data]).toEqual([1]);
    expect(inputs.shape).toEqual([1, 3, 4]);
    const { offset, scale } = encoding.scaler;
    const gap = (time: number) => Math.fround((Math.log1p(time) - (offset[1] as number)) / (scale[1] as number));
    const amount = (value: number) => Math.fround((value - (offset[0] as number)) / (scale[0] as number));
    // 'buy' came after 1, so that no input stands for it.
    expect([...inputs.data]).toEqual([0, amount(5), gap(2), 0, 1, amount(0), gap(4), 0, 0, 0, gap(0), 1]);
  });
});

test('no outcome reaches into the next part, and no example changes with what happens after its cut', () => {
  const events = fc.array(
    fc.record({
      who: fc.constantFrom('a', 'b', 'c'),
      when: fc.integer({ min: 0, max: 100 }),
      amount: fc.integer({ min: 0, max: 9 }),
    }),
    { minLength: 20, maxLength: 80 },
  );
  let checked = 0;
  fc.assert(
    fc.property(events, fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 6 }), (rows, horizon, window) => {
      const columns = (list: typeof rows) =>
        tableOf({
          who: list.map(({ who }) => who),
          when: list.map(({ when }) => when),
          amount: list.map(({ amount }) => amount),
        });
      const options = { entity: 'who', time: 'when', features: ['amount'] };
      const whole = eventLog(columns(rows), options);
      const cuts = eventCuts(whole, { target: 'silence', horizon, every: horizon });
      let split: ReturnType<typeof splitCuts>;
      try {
        split = splitCuts(cuts, { validation: 0.2, test: 0.3 });
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_DATA' });
        return;
      }
      checked += 1;
      const begins = (part: Int32Array) => Math.min(...Array.from(part, (cut) => cuts.times[cut] as number));
      const ends = (part: Int32Array) => Math.max(...Array.from(part, (cut) => (cuts.times[cut] as number) + horizon));
      expect(ends(split.train)).toBeLessThanOrEqual(begins(split.validation));
      expect(ends(split.validation)).toBeLessThanOrEqual(begins(split.test));
      expect(ends(split.train)).toBeLessThanOrEqual(split.trainUntil);
      const encoding = fitEventEncoding(whole, split.trainUntil);
      const cut = split.test[0] as number;
      const [time, who] = [cuts.times[cut] as number, whole.entities[cuts.entities[cut] as number] as string];
      const before = new EventDataset(whole, cuts, encoding, { window }).get([cut]);
      // The same moment seen with nothing but the past of the log.
      const past = eventLog(columns(rows.filter(({ when }) => when <= time)), options);
      const pastCuts = {
        times: Float64Array.of(time),
        entities: Int32Array.of(past.entities.indexOf(who)),
        labels: Int32Array.of(0),
        horizon,
      };
      const pastScaler = fitEventEncoding(past, split.trainUntil).scaler;
      pastScaler.scale.forEach((scale, i) => {
        expect(scale).toBeCloseTo(encoding.scaler.scale[i] as number, 9);
      });
      const again = new EventDataset(past, pastCuts, encoding, { window }).get([0]);
      expect(again.inputs).toEqual(before.inputs);
    }),
    { numRuns: 200 },
  );
  expect(checked).toBeGreaterThan(50);
});
