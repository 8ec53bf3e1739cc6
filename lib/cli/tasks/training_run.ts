import { access, constants, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import type { TrainerOptions, TrainingResult } from '../../training/types.js';
import { exitCodes } from '../command.js';
import { untilInterrupted } from '../interrupt.js';
import type { Options } from '../options.js';
import { printJson, printNote, printText } from '../output.js';
import type { TrainingRequest } from './training_options.js';

/** What a task's training gets beside its own options. */
export type TrainingFrame = Pick<TrainerOptions, 'onProgress' | 'onEpoch' | 'signal' | 'checkpoint'> & {
  resume: boolean;
};

interface Trained {
  readonly model: Module;
  readonly result: TrainingResult;
}

/** What is done with a finished training. */
export interface TrainingEnd<T extends Trained> {
  /** Writes the report of `--report`, where the task has one. */
  report?(path: string, trained: T): Promise<void>;
  /** What was measured, as text; undefined for nothing. */
  text(trained: T): Promise<string | undefined>;
  /** The same for `--json`. */
  json(trained: T): unknown;
}

/**
 * Runs a training as the command line does: checks first that everything can be written, shows progress, keeps a checkpoint when it is
 * interrupted, and at the end writes the model and the report and prints the results.
 *
 * @returns the exit code
 */
export async function runTraining<T extends Trained>(
  request: TrainingRequest,
  options: Options,
  train: (frame: TrainingFrame) => Promise<T>,
  end: TrainingEnd<T>,
): Promise<number> {
  const { out, checkpoint, report } = request;
  const trained = await showing(request, options, train);
  if (trained.result.stopped === 'aborted') {
    const { steps } = trained.result;
    printNote(options, `interrupted at step ${steps}; the checkpoint is ${checkpoint}: go on with --resume`);
    return exitCodes.interrupted;
  }
  const { saveModel } = await import('../../formats/models.js');
  await saveModel(out, trained.model);
  await rm(checkpoint, { force: true });
  if (report !== undefined) await end.report?.(report, trained);
  if (options.flag('json')) {
    const { stopped, bestEpoch, steps, seconds, history } = trained.result;
    const files = { model: out, report: report ?? null };
    printJson({ ...files, stopped, bestEpoch, steps, seconds, history, evaluation: end.json(trained) });
    return exitCodes.success;
  }
  const text = await end.text(trained);
  if (text !== undefined) printText(`${text}\n`);
  printText(`model: ${out}`);
  if (report !== undefined) printText(`report: ${report}`);
  return exitCodes.success;
}

/** Finds out before the data are read, and before an hour of training, what cannot be written. @throws CudnnGruError `ERR_FILE` */
export async function prepareTraining(request: TrainingRequest, options: Options): Promise<void> {
  const { out, checkpoint, report, resume } = request;
  for (const path of [out, checkpoint, report]) if (path !== undefined) await checkFolder(path);
  if (!resume && (await exists(checkpoint))) {
    printNote(options, `starting anew, over the checkpoint ${checkpoint}; --resume would go on from it`);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch((cause) => {
    const reason = `the folder ${folder} is not there or not writable`;
    throw new CudnnGruError('ERR_FILE', `cannot write ${path}: ${reason}`, { cause });
  });
}

async function showing<T>(
  { threads, checkpoint, resume }: TrainingRequest,
  options: Options,
  train: (frame: TrainingFrame) => Promise<T>,
): Promise<T> {
  const [{ setThreads }, { progressDisplay }] = await Promise.all([
    import('../../tensor/device.js'),
    import('../../training/progress_display.js'),
  ]);
  if (threads !== undefined) setThreads(threads);
  const display = options.flag('quiet') ? undefined : await progressDisplay();
  const shown = display && { onProgress: display.onProgress, onEpoch: display.onEpoch };
  try {
    return await untilInterrupted((signal) => train({ ...shown, checkpoint, resume, signal }));
  } finally {
    display?.stop();
  }
}
