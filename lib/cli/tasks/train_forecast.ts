import { access, constants, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Table } from '../../data/csv.js';
import { CudnnGruError } from '../../errors.js';
import type { TrainedForecaster } from '../../tasks/train_forecaster.js';
import { exitCodes } from '../command.js';
import { untilInterrupted } from '../interrupt.js';
import type { Options } from '../options.js';
import { printJson, printNote, printText } from '../output.js';
import type { TaskTraining } from './task.js';
import { readTrainRequest, type TrainRequest, trainOptions } from './train_request.js';

export const trainForecast: TaskTraining = {
  options: trainOptions,
  examples: [
    'train forecast --data weather.csv --time date --target temp_max --inputs temp_min,wind --out model.safetensors',
  ],

  async run(options) {
    const request = readTrainRequest(options);
    const { data, out, checkpoint, report, training } = request;
    for (const path of [out, checkpoint, report]) if (path !== undefined) await checkFolder(path);
    if (!request.resume && (await exists(checkpoint))) {
      printNote(options, `starting anew, over the checkpoint ${checkpoint}; --resume would go on from it`);
    }
    const { readCsv } = await import('../../data/csv.js');
    const { target, inputs = [], time } = training;
    const table = await readCsv(data, { numeric: [target, ...inputs], ...(time !== undefined && { text: [time] }) });
    const trained = await runTraining(request, table, options);
    if (trained.result.stopped === 'aborted') {
      const { steps } = trained.result;
      printNote(options, `interrupted at step ${steps}; the checkpoint is ${checkpoint}: go on with --resume`);
      return exitCodes.interrupted;
    }
    const { saveModel } = await import('../../formats/models.js');
    await saveModel(out, trained.model);
    await rm(checkpoint, { force: true });
    if (report !== undefined) {
      const { writeForecasterReport } = await import('../../tasks/index.js');
      await writeForecasterReport(report, trained, table);
    }
    await printResults(request, trained, options);
    return exitCodes.success;
  },
};

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

// Better now than after an hour of training.
async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch((cause) => {
    const reason = `the folder ${folder} is not there or not writable`;
    throw new CudnnGruError('ERR_FILE', `cannot write ${path}: ${reason}`, { cause });
  });
}

async function runTraining(request: TrainRequest, table: Table, options: Options): Promise<TrainedForecaster> {
  const [{ trainForecaster }, { setThreads }, { progressDisplay }] = await Promise.all([
    import('../../tasks/index.js'),
    import('../../tensor/device.js'),
    import('../../training/progress_display.js'),
  ]);
  const { training, threads, checkpoint, resume } = request;
  if (threads !== undefined) setThreads(threads);
  const display = options.flag('quiet') ? undefined : await progressDisplay();
  const shown = display && { onProgress: display.onProgress, onEpoch: display.onEpoch };
  try {
    return await untilInterrupted((signal) =>
      trainForecaster({ ...training, ...shown, table, checkpoint, resume, signal }),
    );
  } finally {
    display?.stop();
  }
}

async function printResults(request: TrainRequest, trained: TrainedForecaster, options: Options): Promise<void> {
  const { model, result, evaluation } = trained;
  if (options.flag('json')) {
    const { stopped, bestEpoch, steps, seconds, history } = result;
    const measured = evaluation && { errors: evaluation.errors, baselines: evaluation.baselines };
    const files = { model: request.out, report: request.report ?? null };
    printJson({ ...files, stopped, bestEpoch, steps, seconds, history, evaluation: measured });
    return;
  }
  if (evaluation) {
    const { evaluationTable } = await import('../../tasks/evaluation_table.js');
    printText(`${evaluationTable(evaluation, model)}\n`);
  }
  printText(`model: ${request.out}`);
  if (request.report) printText(`report: ${request.report}`);
}
