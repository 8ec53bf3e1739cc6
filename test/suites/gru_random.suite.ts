import { describe, it } from 'vitest';
import { fc } from '../fast_check.js';
import type { Backend } from './backend.js';
import { checkGru, withMostSteps } from './gru_check.js';
import { type GruSettings, gruProblem } from './gru_problem.js';

const settings: fc.Arbitrary<GruSettings> = fc
  .record({
    time: fc.integer({ min: 1, max: 9 }),
    batch: fc.integer({ min: 1, max: 20 }),
    inputSize: fc.integer({ min: 1, max: 40 }),
    hiddenSize: fc.integer({ min: 1, max: 40 }),
    layers: fc.integer({ min: 1, max: 3 }),
    directions: fc.constantFrom<(1 | 2)[]>(1, 2),
    bias: fc.boolean(),
    resetBefore: fc.boolean(),
    initialHidden: fc.boolean(),
    dropout: fc.option(fc.record({ probability: fc.constantFrom(0.1, 0.5), seed: fc.nat(), offset: fc.nat() })),
    seed: fc.nat(1000),
  })
  .chain((sizes) =>
    fc
      .record({
        lengths: fc.option(
          fc.array(fc.integer({ min: 0, max: sizes.time }), { minLength: sizes.batch, maxLength: sizes.batch }),
        ),
      })
      .map(({ lengths }) => ({ ...sizes, lengths })),
  );

/** `gru` in any combination of sizes and options; a failure is reduced to the smallest that still fails. */
export function run(backend: Backend): void {
  describe('any combination', () => {
    it('agrees with the reference, forward and backward', () =>
      fc.assert(
        fc.asyncProperty(settings, (drawn) => checkGru(backend, gruProblem(drawn))),
        { numRuns: 40 },
      ));

    it('and cut into pieces', () =>
      fc.assert(
        fc.asyncProperty(settings, fc.integer({ min: 1, max: 4 }), (drawn, steps) =>
          withMostSteps(backend, steps, () => checkGru(backend, gruProblem({ ...drawn, resetBefore: false }))),
        ),
        { seed: 20260102, numRuns: 30 },
      ));
  });
}
