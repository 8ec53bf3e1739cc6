import { readFileSync } from 'node:fs';
import { Array64, range } from './array64.js';
import type { GruProblem } from './gru.js';
import type { CellWeights } from './gru_cell.js';

/** Golden values, computed in float64 by PyTorch and kept as float32: test/fixtures/golden. */
export type GoldenName = 'gru' | 'gru_reset_before' | 'layers' | 'losses' | 'optimizers';

/** One case: its own tensors by name, and what the file's metadata says of it. */
export interface GoldenCase {
  name: string;
  settings: Record<string, string | number | boolean>;
  has(tensor: string): boolean;
  get(tensor: string): Array64;
  integers(tensor: string): number[];
}

interface TensorEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

export interface GoldenFile {
  cases: GoldenCase[];
  get(tensor: string): Array64;
  case(name: string): GoldenCase;
}

/** Reads safetensors on its own, so that what the library reads and what the tests expect cannot be wrong together. */
export function golden(name: GoldenName): GoldenFile {
  const bytes = readFileSync(new URL(`../fixtures/golden/${name}.safetensors`, import.meta.url));
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, headerEnd)) as Record<string, TensorEntry> & {
    __metadata__: { cases: string };
  };
  const get = (tensor: string): Array64 => {
    const entry = header[tensor];
    if (entry === undefined) throw new Error(`${name}.safetensors has no ${tensor}`);
    const [start, end] = entry.data_offsets;
    const values = range((end - start) / 4).map((i) => {
      const position = headerEnd + start + 4 * i;
      return entry.dtype === 'I32' ? bytes.readInt32LE(position) : bytes.readFloatLE(position);
    });
    return new Array64(entry.shape, values);
  };
  const listed = JSON.parse(header.__metadata__.cases) as ({ name: string } & GoldenCase['settings'])[];
  const cases = listed.map((settings) => ({
    name: settings.name,
    settings,
    has: (tensor: string) => `${settings.name}/${tensor}` in header,
    get: (tensor: string) => get(`${settings.name}/${tensor}`),
    integers: (tensor: string) => [...get(`${settings.name}/${tensor}`).data],
  }));
  return {
    cases,
    get,
    case: (wanted) => {
      const found = cases.find((candidate) => candidate.name === wanted);
      if (found === undefined) throw new Error(`${name}.safetensors has no case ${wanted}`);
      return found;
    },
  };
}

/** A golden GRU case as the references and the suites take it: the problem, and what is expected. */
export interface GruCase {
  name: string;
  problem: GruProblem;
  outputGrad: Array64;
  hiddenGrad: Array64 | null;
  output: Array64;
  hidden: Array64 | null;
  xGrad: Array64;
  initialHiddenGrad: Array64;
  weightGrads: CellWeights[];
}

const CELL_PARAMETERS = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'] as const;

/** One layer and direction under PyTorch's parameter names, e.g. prefix 'grad.' and suffix '_l1_reverse'. */
function cell(golden: GoldenCase, prefix: string, suffix: string): CellWeights {
  const [weightIh, weightHh, biasIh, biasHh] = CELL_PARAMETERS.map((parameter) => {
    const name = `${prefix}${parameter}${suffix}`;
    return golden.has(name) ? golden.get(name) : null;
  });
  if (!weightIh || !weightHh) throw new Error(`${golden.name} has no weights ${prefix}*${suffix}`);
  return { weightIh, weightHh, biasIh: biasIh ?? null, biasHh: biasHh ?? null };
}

export function resetAfterCases(): GruCase[] {
  return golden('gru').cases.map((golden) => {
    const directions = golden.settings.bi === 1 ? 2 : 1;
    const suffixes = range(Number(golden.settings.L)).flatMap((layer) =>
      [`_l${layer}`, `_l${layer}_reverse`].slice(0, directions),
    );
    const problem: GruProblem = {
      x: golden.get('x'),
      initialHidden: golden.get('h0'),
      weights: suffixes.map((suffix) => cell(golden, '', suffix)),
      directions,
      resetBefore: false,
      lengths: golden.has('lengths') ? golden.integers('lengths') : null,
      dropout: null,
    };
    return {
      name: golden.name,
      problem,
      outputGrad: golden.get('dy'),
      hiddenGrad: golden.get('dhn'),
      output: golden.get('y'),
      hidden: golden.get('hn'),
      xGrad: golden.get('dx'),
      initialHiddenGrad: golden.get('dh0'),
      weightGrads: suffixes.map((suffix) => cell(golden, 'grad.', suffix)),
    };
  });
}

/** These have one layer and one bias, which is the input's; the recurrent bias is 0 and has the same gradient. */
export function resetBeforeCases(): GruCase[] {
  const oneLayer = (h: Array64) => h.reshape(1, h.size(0), h.size(1));
  return golden('gru_reset_before').cases.map((golden) => {
    const bias = golden.get('bias');
    const biasGrad = golden.get('grad.bias');
    return {
      name: golden.name,
      problem: {
        x: golden.get('x'),
        initialHidden: oneLayer(golden.get('h0')),
        weights: [
          {
            weightIh: golden.get('weight_ih'),
            weightHh: golden.get('weight_hh'),
            biasIh: bias,
            biasHh: Array64.zerosLike(bias),
          },
        ],
        directions: 1,
        resetBefore: true,
        lengths: null,
        dropout: null,
      },
      outputGrad: golden.get('dy'),
      hiddenGrad: null,
      output: golden.get('y'),
      hidden: null,
      xGrad: golden.get('dx'),
      initialHiddenGrad: oneLayer(golden.get('dh0')),
      weightGrads: [
        {
          weightIh: golden.get('grad.weight_ih'),
          weightHh: golden.get('grad.weight_hh'),
          biasIh: biasGrad,
          biasHh: biasGrad,
        },
      ],
    };
  });
}

/** What the optimizer cases share: the starting parameters and the gradient of each step. */
export function optimizerRuns(): {
  start: number[];
  gradients: number[][];
  trajectory(name: string): number[][];
} {
  const file = golden('optimizers');
  const rows = (array: Array64) =>
    range(array.size(0)).map((row) => range(array.size(1)).map((column) => array.at(row, column)));
  return {
    start: [...file.get('start').data],
    gradients: rows(file.get('grads')),
    trajectory: (name) => rows(file.case(name).get('trajectory')),
  };
}

/** A number that a case sets, or PyTorch's default. */
export function settingOf(golden: GoldenCase, name: string, otherwise: number): number {
  const value = golden.settings[name];
  return value === undefined ? otherwise : Number(value);
}
