import { checkInteger, wrongKind } from '../arguments.js';
import { upload } from '../ops/result.js';
import { deviceOf } from '../tensor/device.js';
import { rowOf } from './generate.js';
import { advance, disposeState, type TokenModel, type TokenState } from './token_model.js';

/** A language model as a search over label sequences asks it. */
export interface PrefixModel {
  /** For each prefix the log-probability of each label after it. */
  next(prefixes: readonly (readonly number[])[]): Promise<readonly ArrayLike<number>[]>;
}

/** One row of a state tensor: [layers, features]. */
interface StateRow {
  data: Float32Array;
  layers: number;
  features: number;
}

/** One prefix that was asked for. */
interface Known {
  logProbabilities: Float32Array;
  state: StateRow[];
}

/**
 * A recurrent language model as a `PrefixModel`. Prefixes of the call before are remembered; new ones that are one label longer than those
 * take one step, all in one batch.
 *
 * @param start the token before the first label
 * @param state the model's state before `start`, of one row: [layers, 1, features]; default: none
 * @throws TypeError, RangeError
 */
export function tokenPrefixModel(model: TokenModel, start: number, state: TokenState = []): PrefixModel {
  if (typeof model?.step !== 'function') throw wrongKind('model', 'a TokenModel', model);
  checkInteger(start, 'start', { min: 0, max: model.vocabularySize - 1 });
  let known = new Map<string, Known>();

  async function step(tokens: readonly number[], before: readonly StateRow[][]): Promise<Known[]> {
    const device = deviceOf(model.device);
    const rows = tokens.length;
    const stacked = (before[0] ?? []).map(({ layers, features }, i) => {
      const data = new Float32Array(layers * rows * features);
      for (const [row, parts] of before.entries()) {
        const part = (parts[i] as StateRow).data;
        for (let layer = 0; layer < layers; layer++)
          data.set(part.subarray(layer * features, (layer + 1) * features), (layer * rows + row) * features);
      }
      return upload(data, [layers, rows, features], device);
    });
    try {
      const next = await advance(model, Int32Array.from(tokens), stacked);
      const states = await readState(next.state).finally(() => disposeState(next.state));
      return tokens.map((_, row) => ({
        logProbabilities: rowOf(next.logProbabilities, row, model.vocabularySize),
        state: states.map(({ data, layers, features }) => {
          const own = new Float32Array(layers * features);
          for (let layer = 0; layer < layers; layer++)
            own.set(rowOf(data, layer * rows + row, features), layer * features);
          return { data: own, layers, features };
        }),
      }));
    } finally {
      disposeState(stacked);
    }
  }

  let first: Promise<Known> | undefined;
  const root = (): Promise<Known> => {
    first ??= readState(state).then(async (own) => (await step([start], [own]))[0] as Known);
    return first;
  };

  return {
    async next(prefixes) {
      const rootKnown = await root();
      // Of its own: another search may ask while this one waits.
      const now = new Map(known).set('', rootKnown);
      const keys = prefixes.map((prefix) => prefix.join());
      const unknown = prefixes.filter((_, i) => !now.has(keys[i] as string));
      const starts = unknown.map((prefix) => firstUnknown(prefix, now));
      const longest = Math.max(0, ...unknown.map((prefix) => prefix.length));
      // As a rule one round; more where a prefix's own beginning is not known.
      for (let length = Math.min(longest, ...starts); length <= longest; length++) {
        const missing = new Map<string, readonly number[]>();
        for (const [i, prefix] of unknown.entries()) {
          if (length < (starts[i] as number) || length > prefix.length) continue;
          const part = prefix.slice(0, length);
          const key = part.join();
          if (!now.has(key)) missing.set(key, part);
        }
        if (missing.size === 0) continue;
        const parts = [...missing.values()];
        const parents = parts.map((part) => now.get(part.slice(0, -1).join()) as Known);
        const found = await step(
          parts.map((part) => part.at(-1) as number),
          parents.map((parent) => parent.state),
        );
        for (const [i, key] of [...missing.keys()].entries()) now.set(key, found[i] as Known);
      }
      known = new Map(keys.map((key) => [key, now.get(key) as Known]));
      return keys.map((key) => (now.get(key) as Known).logProbabilities);
    },
  };
}

// The length of the shortest beginning that has to be computed: the one before it is known.
function firstUnknown(prefix: readonly number[], known: ReadonlyMap<string, Known>): number {
  let length = prefix.length;
  while (length > 1 && !known.has(prefix.slice(0, length - 1).join())) length--;
  return length;
}

// All rows of each tensor.
function readState(state: TokenState): Promise<StateRow[]> {
  return Promise.all(
    state.map(async (tensor) => {
      const [layers, , features] = tensor.shape as [number, number, number];
      return { data: (await tensor.data()) as Float32Array, layers, features };
    }),
  );
}
