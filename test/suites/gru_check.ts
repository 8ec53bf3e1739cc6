import { deviceOf } from '../../lib/tensor/device.js';
import { type Array64, item } from '../reference/array64.js';
import { type GruProblem, gruBackward, gruForward } from '../reference/gru.js';
import { type Backend, expectSame } from './backend.js';
import { expectNear, type ResultKind, random32 } from './checks.js';
import { type GruGrads, runGru } from './gru_runner.js';

export const CELL_PARAMETERS = ['weightIh', 'weightHh', 'biasIh', 'biasHh'] as const;

/** Runs `fn` with the reset-after GRU cut into pieces of at most so many steps, as on a device that takes no more. */
export async function withMostSteps<T>(backend: Backend, steps: number, fn: () => Promise<T>): Promise<T> {
  const device = deviceOf(backend.device) as { mostGruSteps: number };
  const before = device.mostGruSteps;
  device.mostGruSteps = steps;
  try {
    return await fn();
  } finally {
    device.mostGruSteps = before;
  }
}

export function expectGradients(actual: GruGrads, expected: GruGrads, kind: ResultKind = 'accumulated'): void {
  expectNear(actual.x?.data ?? [], expected.x as Array64, kind, 'gradient of x');
  if (expected.initialHidden) {
    expectNear(actual.initialHidden?.data ?? [], expected.initialHidden, kind, 'gradient of initialHidden');
  }
  for (const [i, cell] of expected.weights.entries()) {
    for (const name of CELL_PARAMETERS) {
      const wanted = cell[name];
      if (!wanted) continue;
      expectNear(item(actual.weights, i)[name]?.data ?? [], wanted, kind, `gradient of ${name}, cell ${i}`);
    }
  }
}

/** Forward and backward against the reference, in both layouts, with gradients of output and final state. */
export async function checkGru(backend: Backend, problem: GruProblem, kind: ResultKind = 'accumulated'): Promise<void> {
  const expected = gruForward(problem);
  const outputGrad = random32(501, expected.output.shape);
  const hiddenGrad = random32(502, expected.hidden.shape);
  const expectedGrads = gruBackward(problem, expected, outputGrad, hiddenGrad);
  for (const timeMajor of [true, false]) {
    const actual = await runGru(backend, problem, { timeMajor, outputGrad, hiddenGrad });
    expectNear(actual.output.data, expected.output, kind, 'output');
    expectNear(actual.hidden.data, expected.hidden, kind, 'hidden');
    const initialHidden = problem.initialHidden && expectedGrads.initialHidden;
    expectGradients(actual.grads, { ...expectedGrads, initialHidden }, kind);
    const inference = await runGru(backend, problem, { timeMajor });
    // On a GPU another algorithm may be the fastest without gradients.
    expectSame(backend, inference.output.data, actual.output, 'output without gradients');
    expectSame(backend, inference.hidden.data, actual.hidden, 'hidden without gradients');
  }
}
