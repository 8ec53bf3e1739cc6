import { describe, expect, it } from 'vitest';
import * as arithmetic from './arithmetic.js';
import { Array64, item, range } from './array64.js';
import * as attention from './attention.js';
import { numericalGradients, randomArray, relativeError } from './central_difference.js';
import { ctcBackward, ctcForward, ctcProbability, ctcProbabilityByEnumeration } from './ctc.js';
import { type GruProblem, gruBackward, gruForward } from './gru.js';
import type { CellWeights } from './gru_cell.js';
import * as layers from './layers.js';
import * as losses from './losses.js';
import * as rearrange from './rearrange.js';
import * as sequences from './sequences.js';

/** Each analytic gradient of Σ outGrad · f(inputs) against the numerical one; outGrad is drawn here. */
function checkBackward(
  f: (...inputs: Array64[]) => Array64,
  inputs: Array64[],
  backward: (outGrad: Array64) => Array64[],
): void {
  const out = f(...inputs);
  const outGrad = randomArray(99, out.shape);
  const numerical = numericalGradients((varied) => f(...varied), inputs, outGrad);
  const analytic = backward(outGrad);
  expect(analytic).toHaveLength(inputs.length);
  for (const [i, grad] of analytic.entries()) {
    expect(relativeError(grad, item(numerical, i)), `gradient of input ${i}`).toBeLessThan(1e-8);
  }
}

interface GruSizes {
  time: number;
  batch: number;
  inputSize: number;
  hiddenSize: number;
  layers: number;
  directions: 1 | 2;
}

const CELL = ['weightIh', 'weightHh', 'biasIh', 'biasHh'] as const;

/** The flat list of a stack's arrays: x, the initial state, then each cell's parameters. */
function gruInputs(sizes: GruSizes, bias: boolean): Array64[] {
  const { time, batch, inputSize, hiddenSize: h, layers, directions } = sizes;
  const cells = range(layers * directions).flatMap((cell) => {
    const features = cell < directions ? inputSize : directions * h;
    const shapes = [[3 * h, features], [3 * h, h], ...(bias ? [[3 * h], [3 * h]] : [])];
    return shapes.map((shape, i) => randomArray(10 * cell + i + 3, shape, -0.9, 0.9));
  });
  return [randomArray(1, [time, batch, inputSize]), randomArray(2, [layers * directions, batch, h]), ...cells];
}

function gruProblem(
  inputs: readonly Array64[],
  bias: boolean,
  rest: Omit<GruProblem, 'x' | 'initialHidden' | 'weights'>,
) {
  const perCell = bias ? 4 : 2;
  const weights: CellWeights[] = range((inputs.length - 2) / perCell).map((cell) => {
    const at = (i: number) => item(inputs, 2 + cell * perCell + i);
    return { weightIh: at(0), weightHh: at(1), biasIh: bias ? at(2) : null, biasHh: bias ? at(3) : null };
  });
  return { x: item(inputs, 0), initialHidden: item(inputs, 1), weights, ...rest };
}

const joined = (...arrays: Array64[]): Array64 => {
  const values = arrays.flatMap((array) => [...array.data]);
  return new Array64([values.length], values);
};

describe('gru: the gradients are those of the forward pass', () => {
  const sizes = { time: 4, batch: 3, inputSize: 2, hiddenSize: 3, layers: 1, directions: 1 as const };
  const stack = { ...sizes, layers: 3, directions: 2 as const };
  const dropout = { probability: 0.4, seed: 5, offset: 9 };
  const plain = { lengths: null, dropout: null, bias: true };
  it.each([
    ['one layer', { ...sizes, ...plain }],
    ['no bias', { ...sizes, ...plain, bias: false }],
    ['lengths of 0, 1 and T', { ...sizes, ...plain, lengths: [0, 4, 1] }],
    ['both directions, three layers', { ...stack, ...plain }],
    ['both directions, three layers, lengths', { ...stack, ...plain, lengths: [2, 0, 4] }],
    ['dropout between layers', { ...stack, ...plain, dropout }],
    ['dropout and lengths', { ...stack, ...plain, lengths: [3, 1, 4], dropout }],
    [
      'T = B = I = H = 1',
      { ...plain, time: 1, batch: 1, inputSize: 1, hiddenSize: 1, layers: 1, directions: 1 as const },
    ],
    ['odd sizes', { ...sizes, ...plain, time: 3, batch: 2, inputSize: 5, hiddenSize: 7 }],
  ])('%s', (_, { lengths, dropout, bias, ...sizes }) => {
    for (const resetBefore of [false, true]) {
      const problem = (inputs: readonly Array64[]) =>
        gruProblem(inputs, bias, { directions: sizes.directions, resetBefore, lengths, dropout });
      const inputs = gruInputs(sizes, bias);
      const forward = (...varied: Array64[]) => {
        const { output, hidden } = gruForward(problem(varied));
        return joined(output, hidden);
      };
      checkBackward(forward, inputs, (grad) => {
        const result = gruForward(problem(inputs));
        const split = result.output.count;
        const grads = gruBackward(
          problem(inputs),
          result,
          new Array64(result.output.shape, grad.data.slice(0, split)),
          new Array64(result.hidden.shape, grad.data.slice(split)),
        );
        const weights = grads.weights.flatMap((cell) => CELL.flatMap((name) => cell[name] ?? []));
        return [grads.x, grads.initialHidden, ...weights];
      });
    }
  });

  it('padded outputs are 0, and a length of 0 keeps the initial state', () => {
    const inputs = gruInputs(stack, true);
    const problem = gruProblem(inputs, true, {
      directions: 2,
      resetBefore: false,
      lengths: [2, 0, 4],
      dropout: null,
    });
    const { output, hidden } = gruForward(problem);
    for (const f of range(6)) {
      expect(output.at(2, 0, f)).toBe(0);
      expect(output.at(0, 1, f)).toBe(0);
      expect(output.at(3, 2, f)).not.toBe(0);
      for (const i of range(3)) expect(hidden.at(f, 1, i)).toBe(item(inputs, 1).at(f, 1, i));
    }
  });
});

describe('arithmetic: the gradients are those of the forward pass', () => {
  it.each(['tanh', 'sigmoid', 'relu'] as const)('%s', (name) => {
    const x = randomArray(1, [3, 5], -3, 3);
    const { value, derivative } = arithmetic.unary[name];
    checkBackward(
      (v) => v.map(value),
      [x],
      (grad) => [x.map((v, i) => derivative(v) * item(grad.data, i))],
    );
  });

  it.each(['add', 'sub', 'mul', 'div'] as const)('%s with broadcasting', (name) => {
    for (const [a, b] of [
      [
        [2, 3],
        [2, 3],
      ],
      [
        [2, 1, 4],
        [3, 1],
      ],
      [[4], [2, 3, 4]],
      [[2, 3], []],
    ] as const) {
      const inputs = [randomArray(1, a), randomArray(2, b, 0.5, 2)] as const;
      checkBackward(
        (x, y) => arithmetic.binaryForward(name, x as Array64, y as Array64),
        [...inputs],
        (grad) => arithmetic.binaryBackward(name, ...inputs, grad),
      );
    }
  });

  it('sum and expand', () => {
    const x = randomArray(1, [2, 3, 4]);
    checkBackward(
      (v) => arithmetic.sumForward(v, [0, 2], 0.5),
      [x],
      (grad) => [arithmetic.expand(grad, x.shape, 0.5)],
    );
  });
});

describe('layers: the gradients are those of the forward pass', () => {
  const x = randomArray(1, [4, 3]);

  it('linear', () => {
    const [weight, bias] = [randomArray(2, [5, 3]), randomArray(3, [5])];
    checkBackward(layers.linearForward, [x, weight, bias], (grad) =>
      Object.values(layers.linearBackward(x, weight, grad)),
    );
  });

  it('matmul', () => {
    const [a, b] = [randomArray(2, [2, 3, 4]), randomArray(3, [2, 4, 5])];
    checkBackward(layers.matmulForward, [a, b], (grad) => layers.matmulBackward(a, b, grad));
  });

  it('embedding, a padding index apart', () => {
    const [ids, weight] = [[3, 0, 3, 1], randomArray(2, [5, 2])];
    const forward = (w: Array64) => layers.embeddingForward(ids, w);
    checkBackward(forward, [weight], (grad) => [layers.embeddingBackward(ids, weight, null, grad)]);
    const padded = layers.embeddingBackward(ids, weight, 3, randomArray(3, [4, 2]));
    expect([padded.at(3, 0), padded.at(3, 1)]).toEqual([0, 0]);
    expect(padded.at(1, 0)).not.toBe(0);
  });

  it('layer norm', () => {
    const [weight, bias] = [randomArray(2, [3]), randomArray(3, [3])];
    checkBackward(
      (v, w, b) => layers.layerNormForward(v, w, b, 1e-3),
      [x, weight, bias],
      (grad) => Object.values(layers.layerNormBackward(x, weight, 1e-3, grad)),
    );
    checkBackward(
      (v) => layers.layerNormForward(v, null, null, 1e-3),
      [x],
      (grad) => [layers.layerNormBackward(x, null, 1e-3, grad).x],
    );
  });

  it('dropout', () => {
    const forward = (v: Array64) => layers.dropout(v, 0.5, { seed: 3, offset: 1 });
    checkBackward(forward, [x], (grad) => [forward(grad)]);
  });

  it('softmax and log-softmax', () => {
    checkBackward(layers.softmaxForward, [x], (grad) => [layers.softmaxBackward(x, grad)]);
    checkBackward(layers.logSoftmaxForward, [x], (grad) => [layers.logSoftmaxBackward(x, grad)]);
  });
});

describe('moving elements: the gradients are those of the forward pass', () => {
  const x = randomArray(1, [3, 2, 4]);

  it('concat, slice and transpose', () => {
    const parts = [x, randomArray(2, [3, 1, 4]), randomArray(3, [3, 3, 4])];
    checkBackward(
      (...varied) => rearrange.concatForward(varied, 1),
      parts,
      (grad) => rearrange.concatBackward(parts, 1, grad),
    );
    checkBackward(
      (v) => rearrange.sliceForward(v, 2, 1, 3),
      [x],
      (grad) => [rearrange.sliceBackward(x, 2, 1, grad)],
    );
    checkBackward(
      (v) => rearrange.transpose(v, 0, 2),
      [x],
      (grad) => [rearrange.transpose(grad, 0, 2)],
    );
  });

  it('along time', () => {
    checkBackward(
      (v) => sequences.gatherTimeForward(v, [2, -1]),
      [x],
      (grad) => [sequences.gatherTimeBackward(x, [2, -1], grad)],
    );
    for (const lengths of [
      [3, 1],
      [0, 2],
    ]) {
      checkBackward(
        (v) => sequences.maskedMeanForward(v, lengths),
        [x],
        (grad) => [sequences.maskedMeanBackward(x, lengths, grad)],
      );
      checkBackward(
        (v) => sequences.maskedMaxForward(v, lengths),
        [x],
        (grad) => [sequences.maskedMaxBackward(x, lengths, grad)],
      );
    }
  });

  it('the maximum is the first of equal values, and NaN if any is', () => {
    const tied = new Array64([3, 1, 2], [1, 5, 1, Number.NaN, 1, 7]);
    expect([...sequences.maskedMaxForward(tied, [3]).data]).toEqual([1, Number.NaN]);
    expect([...sequences.maskedMaxBackward(tied, [3], new Array64([1, 2], [1, 2])).data]).toEqual([1, 0, 0, 2, 0, 0]);
  });
});

describe('losses: the gradients are those of the forward pass', () => {
  const logits = randomArray(1, [5, 4], -3, 3);

  it.each(['none', 'sum', 'mean'] as const)('reduction: %s', (reduction) => {
    const target = randomArray(2, [5, 4]);
    for (const name of ['mse', 'mae', 'huber'] as const) {
      checkBackward(
        (v) => losses.regressionForward(name, v, target, reduction, 0.7),
        [logits],
        (grad) => [losses.regressionBackward(name, logits, target, reduction, grad, 0.7)],
      );
    }

    const classWeights = randomArray(3, [4], 0.5, 2);
    for (const options of [
      { reduction },
      { reduction, labelSmoothing: 0.2 },
      { reduction, classWeights, ignoreIndex: 1 },
      { reduction, classWeights, ignoreIndex: -100, labelSmoothing: 0.2 },
    ]) {
      const targets = [0, 1, 3, options.ignoreIndex ?? 2, 2];
      checkBackward(
        (v) => losses.crossEntropyForward(v, targets, options),
        [logits],
        (grad) => [losses.crossEntropyBackward(logits, targets, options, grad)],
      );
    }

    const fractions = randomArray(4, [5, 4], 0, 1);
    for (const options of [
      { reduction },
      { reduction, weight: classWeights, positiveWeight: randomArray(5, [4], 1, 3) },
    ]) {
      checkBackward(
        (v) => losses.binaryCrossEntropyForward(v, fractions, options),
        [logits],
        (grad) => [losses.binaryCrossEntropyBackward(logits, fractions, options, grad)],
      );
    }
  });
});

describe('connectionist temporal classification', () => {
  const targets = [[1, 1, 2], [2], [], [0, 1]];
  const problem = {
    targets,
    inputLengths: [5, 3, 4, 2],
    blank: 3,
    zeroInfinity: false,
  };
  const logits = randomArray(5, [5, 4, 4], -1, 1);

  it('is the sum over all paths by its definition', () => {
    for (const b of range(4)) {
      const row = { ...problem, logits, reduction: 'none' as const };
      expect(ctcProbability(row, b)).toBeCloseTo(ctcProbabilityByEnumeration(row, b), 14);
    }
    const short = { ...problem, inputLengths: [3, 0, 0, 1], logits, reduction: 'none' as const };
    expect(range(4).map((b) => ctcProbability(short, b))).toEqual([0, 0, 1, 0]);
  });

  it.each(['none', 'sum', 'mean'] as const)('reduction %s', (reduction) => {
    const of = (x: Array64) => ({ ...problem, logits: x, reduction });
    checkBackward(
      (x) => ctcForward(of(x)),
      [logits],
      (outGrad) => [ctcBackward(of(logits), outGrad)],
    );
  });
});

describe('attention', () => {
  it.each(['additive', 'dot'] as const)('%s', (kind) => {
    const lengths = [3, 1];
    const inputs = [[2, 2, 3], [2, 4, 3], [2, 4, 2], [3]].map((shape, i) => randomArray(i + 1, shape));
    const score = attention.scores[kind];
    const fixed = item(inputs, 3);
    // The scale of the dot product has no gradient.
    const varied = kind === 'additive' ? inputs : inputs.slice(0, 3);
    checkBackward(
      (q, k, v, scale = fixed) =>
        attention.attentionForward(score, q as Array64, k as Array64, v as Array64, scale, lengths),
      varied,
      (grad) =>
        attention
          .attentionBackward(score, item(inputs, 0), item(inputs, 1), item(inputs, 2), fixed, lengths, grad)
          .slice(0, varied.length),
    );
  });
});
