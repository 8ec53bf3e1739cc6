import { wrongRange } from '../arguments.js';
import type { BatchPosition } from '../data/types.js';
import { CudnnGruError } from '../errors.js';
import { naming } from '../formats/byte_source.js';
import { jsonProblem } from '../formats/json_limits.js';
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '../formats/safetensors.js';
import type { Module, StateDict } from '../layers/module.js';
import type { Optimizer, OptimizerState } from '../optimizers/optimizer.js';
import type { GeneratorState } from '../tensor/generator.js';
import type { Tensor } from '../tensor/tensor.js';
import type { EpochRecord } from './types.js';

/** Where a training stands, apart from tensors: plain JSON. */
export interface TrainingState {
  step: number;
  position: BatchPosition;
  generator: GeneratorState;
  history: EpochRecord[];
  bestEpoch: number;
  bestLoss: number | null;
  waited: number;
  /** Examples of this epoch so far, and the seconds spent. */
  examples: number;
  seconds: number;
  /** What the device had measured, so that a resumed training computes in the same way. */
  choices: string[];
  plateau: { best: number | null; waited: number; factor: number } | null;
}

/** The tensors of a training: its own by name (sums, best parameters, carried state). */
export type TrainingTensors = Record<string, Tensor>;

const layoutVersion = '2';

// In the file the history is an array for each of these, without the epochs' numbers, which count from 1: an object for each epoch would soon be
// more JSON than is read from a file.
const historyColumns = ['step', 'trainLoss', 'validationLoss', 'learningRate', 'seconds'] as const;
const countNames = ['step', 'bestEpoch', 'waited', 'examples', 'seconds'] as const;

/** Writes the whole state of a training as one safetensors file, whole or not at all. */
export async function writeCheckpoint(
  path: string,
  model: Module,
  // biome-ignore lint/suspicious/noExplicitAny: any optimizer will do.
  optimizer: Optimizer<any>,
  state: TrainingState,
  own: TrainingTensors,
): Promise<void> {
  // Every read enters the queue before the first await, so they all see the same step.
  const [parameters, optimizerState, ownData] = await Promise.all([
    model.stateDict(),
    optimizer.state(),
    Promise.all(
      Object.entries(own).map(
        async ([name, { shape }], index) => [name, shape, await (Object.values(own)[index] as Tensor).data()] as const,
      ),
    ),
  ]);
  const tensors: StateDict = {};
  for (const [name, value] of Object.entries(parameters)) tensors[`model/${name}`] = value;
  for (const [index, memory] of optimizerState.parameters.entries()) {
    for (const [name, data] of Object.entries(memory))
      tensors[`optimizer/${index}/${name}`] = { shape: [data.length], data };
  }
  tensors['optimizer/counts'] = { shape: [4], data: optimizerState.counts };
  for (const [name, shape, data] of ownData) tensors[`training/${name}`] = { shape, data };
  await writeSafetensors(path, tensors, {
    'cudnn-gru-checkpoint': layoutVersion,
    state: JSON.stringify({ ...state, history: columnsOf(state.history) }),
    optimizer: JSON.stringify(optimizerState.options),
  });
}

export interface Checkpoint {
  state: TrainingState;
  model: StateDict;
  optimizer: OptimizerState;
  own: StateDict;
}

/** Reads what `writeCheckpoint` wrote. @throws CudnnGruError ERR_FILE, ERR_FORMAT */
export async function readCheckpoint(path: string, parameterCount: number): Promise<Checkpoint> {
  const file = await openSafetensors(path);
  try {
    return await naming(path, () => checkpointIn(file, parameterCount));
  } catch (error) {
    if (error instanceof CudnnGruError) throw error;
    throw new CudnnGruError('ERR_FORMAT', `${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  } finally {
    await file.close();
  }
}

async function checkpointIn(file: SafetensorsFile, parameterCount: number): Promise<Checkpoint> {
  const { metadata, path } = file;
  if (metadata['cudnn-gru-checkpoint'] !== layoutVersion) {
    throw new CudnnGruError('ERR_FORMAT', `${path} is not a training checkpoint of this version`);
  }
  const result: Checkpoint = {
    state: trainingState(parse(metadata.state, 'state')),
    model: {},
    optimizer: {
      counts: new Int32Array(4),
      options: parse(metadata.optimizer, 'optimizer') as OptimizerState['options'],
      parameters: Array.from({ length: parameterCount }, () => ({})),
    },
    own: {},
  };
  for (const [name, { shape }] of file.entries) {
    const data = await file.read(name);
    const [kind, first, second] = name.split('/');
    if (kind === 'model') result.model[name.slice('model/'.length)] = { shape, data };
    else if (kind === 'training' && first) result.own[name.slice('training/'.length)] = { shape, data };
    else if (name === 'optimizer/counts') result.optimizer.counts = data as Int32Array;
    else if (kind === 'optimizer' && second) {
      const memory = result.optimizer.parameters[Number(first)];
      if (!memory) throw wrongRange('checkpoint', `${parameterCount} parameters in the optimizer`, name);
      memory[second] = data;
    }
  }
  return result;
}

function columnsOf(history: readonly EpochRecord[]): Record<string, (number | null)[]> {
  return Object.fromEntries(historyColumns.map((name) => [name, history.map((record) => record[name])]));
}

function parse(text: string | undefined, name: string): unknown {
  const problem = text === undefined ? 'is missing' : jsonProblem(text);
  if (problem !== undefined) throw new CudnnGruError('ERR_FORMAT', `the checkpoint's '${name}' ${problem}`);
  return JSON.parse(text as string);
}

/** A state as it stood in a file. What the data source, the generator and the schedule gave is checked by them. */
function trainingState(value: unknown): TrainingState {
  const damaged = (name: string) => new CudnnGruError('ERR_FORMAT', `the checkpoint's '${name}' is damaged`);
  const isObject = (part: unknown) => typeof part === 'object' && part !== null;
  if (!isObject(value)) throw damaged('state');
  const state = value as TrainingState & { history: Record<string, unknown> };
  for (const name of countNames) if (!Number.isFinite(state[name])) throw damaged(name);
  for (const name of ['position', 'generator'] as const) if (!isObject(state[name])) throw damaged(name);
  const { plateau } = state;
  const isLoss = (part: unknown) => part === null || Number.isFinite(part);
  if (!isLoss(state.bestLoss)) throw damaged('bestLoss');
  if (
    plateau !== null &&
    !(Number.isFinite(plateau?.waited) && Number.isFinite(plateau?.factor) && isLoss(plateau.best))
  )
    throw damaged('plateau');
  if (!Array.isArray(state.choices) || state.choices.some((line) => typeof line !== 'string')) throw damaged('choices');
  const columns = historyColumns.map((name) => {
    const column = state.history?.[name];
    if (!Array.isArray(column) || column.some((entry) => typeof entry !== 'number' && entry !== null))
      throw damaged(`history.${name}`);
    return column as (number | null)[];
  });
  const epochs = columns[0]?.length ?? 0;
  if (columns.some((column) => column.length !== epochs)) throw damaged('history');
  const history = Array.from({ length: epochs }, (_, index) => {
    const record = Object.fromEntries(historyColumns.map((name, column) => [name, columns[column]?.[index] ?? null]));
    return { epoch: index + 1, ...record, trainLoss: record.trainLoss ?? Number.NaN } as EpochRecord;
  });
  return { ...state, history };
}
