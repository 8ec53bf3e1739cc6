import type { Module } from '../../layers/module.js';
import type { Options } from '../options.js';

/** Flags and what they do, as in `Command`. */
export type OptionList = readonly (readonly [flags: string, description: string])[];

/** `train <task>`. Every training also takes the options of `resultOptions`. */
export interface TaskTraining {
  readonly options: OptionList;
  readonly examples: readonly string[];
  run(options: Options): Promise<number>;
}

/** A model with the file that it came from. */
export interface LoadedModel {
  readonly path: string;
  readonly model: Module;
}

/** What `evaluate <model>` or `predict <model>` does with a model of the task. */
export interface TaskCommand {
  /** Beside --data, --threads and those of `resultOptions`. */
  readonly options: OptionList;
  readonly examples: readonly string[];
  run(loaded: LoadedModel, options: Options): Promise<number>;
}

/** A use of models as the command line serves it. One line in `tasks` (index.ts) makes it known. */
export interface Task {
  /** As `preprocessing.task` in its model files. */
  readonly name: string;
  /** What it trains on, in a few words. */
  readonly description: string;
  readonly train: TaskTraining;
  readonly evaluate: TaskCommand;
  readonly predict: TaskCommand;
}
