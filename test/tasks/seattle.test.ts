import { fileURLToPath } from 'node:url';
import { data, tasks } from 'cudnn-gru';
import { expect, it } from 'vitest';

const weather = fileURLToPath(new URL('../../examples/data/seattle-weather.csv', import.meta.url));
const inputs = ['temp_min', 'precipitation', 'wind'];

// The settings of examples/weather/main.ts.
it.each([0, 1, 2, 3])(
  'the GRU beats persistence and the same day of last year on the unseen year, seed %d',
  async (seed) => {
    const table = await data.readCsv(weather, { numeric: ['temp_max', ...inputs], text: ['date'] });
    const { model, evaluation } = await tasks.trainForecaster({
      table,
      target: 'temp_max',
      inputs,
      time: 'date',
      test: 365,
      validation: 200,
      epochs: 15,
      seed,
    });
    const { errors, baselines } = evaluation ?? {};
    const { persistence, 'same day last year': lastYear } = baselines ?? {};
    // Of the data alone, so known exactly: a shift by a row would show here.
    expect(persistence?.mae[0]).toBeCloseTo(2.26, 2);
    for (const baseline of [persistence, lastYear]) {
      expect(errors?.mae[0]).toBeLessThan(baseline?.mae[0] as number);
      expect(errors?.meanMae).toBeLessThan(baseline?.meanMae as number);
    }
    model.dispose();
  },
  180_000,
);
