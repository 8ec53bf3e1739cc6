import { quote } from '../arguments.js';
import { CudnnGruError } from '../errors.js';
import { type Command, resultOptions } from './command.js';
import { type Options, UsageError } from './options.js';
import { batchPredictExamples, batchPredictOptions, predictBatch, refuseBatchOptions } from './predict_batch.js';
import { tasks } from './tasks/index.js';
import type { LoadedModel, OptionList } from './tasks/task.js';

export const evaluate = modelCommand(
  'evaluate',
  'Compare the answers of a model with what came, beside simple baselines; the options depend on its task',
);
export const predict = modelCommand('predict', 'Ask a model for its answers; the options depend on its task');

const commonOptions = [
  ['--data <file>', 'A file of the kind that the model was trained on'],
  ['--threads <n>', 'Threads to compute with (default: the CPUs granted)'],
] as const;

function modelCommand(name: 'evaluate' | 'predict', description: string): Command {
  return {
    usage: `${name} <model>`,
    description,
    get options() {
      const batch = name === 'predict' ? batchPredictOptions : [];
      return [...commonOptions, ...taskOptions(name), ...batch, ...resultOptions];
    },
    examples: [...tasks.flatMap((task) => task[name].examples), ...(name === 'predict' ? batchPredictExamples : [])],
    async run([path], options) {
      if (options.flag('batch')) return predictBatch(path as string, options);
      if (name === 'predict') refuseBatchOptions(options);
      const threads = options.integer('threads', { min: 1, max: 1024 });
      options.requiredText('data');
      const loaded = await load(path as string, threads);
      const task = taskOf(loaded);
      refuseForeignOptions(options, name, task.name);
      return task[name].run(loaded, options);
    },
  };
}

// Every option once, with the tasks it is for where not all have it.
function taskOptions(name: 'evaluate' | 'predict'): OptionList {
  const found = new Map<string, { flags: string; description: string; owners: string[] }>();
  for (const task of tasks) {
    for (const [flags, description] of task[name].options) {
      // The same option may mean something else, or have another default, in another task.
      const known = found.get(`${flags} ${description}`);
      if (known) known.owners.push(task.name);
      else found.set(`${flags} ${description}`, { flags, description, owners: [task.name] });
    }
  }
  return Array.from(found.values(), ({ flags, description, owners }) => [
    flags,
    owners.length === tasks.length ? description : `${owners.join(', ')}: ${description}`,
  ]);
}

async function load(path: string, threads: number | undefined): Promise<LoadedModel> {
  const [{ loadModel }, { setThreads }] = await Promise.all([
    import('../formats/models.js'),
    import('../tensor/device.js'),
    // The models of the tasks make themselves known to loadModel.
    import('../tasks/index.js'),
  ]);
  if (threads !== undefined) setThreads(threads);
  return { path, model: await loadModel(path) };
}

function taskOf({ path, model }: LoadedModel) {
  const { task: name } = (model.preprocessing ?? {}) as { task?: unknown };
  const task = tasks.find((one) => one.name === name);
  if (task !== undefined) return task;
  const kind = model.architecture().type;
  throw new CudnnGruError(
    'ERR_FORMAT',
    typeof name === 'string'
      ? `${path} holds a ${kind} for the task ${quote(name)}, which the command line does not know`
      : `${path} holds a ${kind} without a task: it was not made by the command line or by tasks.*`,
  );
}

function refuseForeignOptions(options: Options, command: 'evaluate' | 'predict', task: string): void {
  const own = new Set(tasks.find(({ name }) => name === task)?.[command].options.map(([flags]) => flags));
  for (const [flags] of taskOptions(command)) {
    if (own.has(flags)) continue;
    const name = flags.replace(/^--/, '').split(' ', 1)[0] as string;
    if (options.has(name)) throw new UsageError(`--${name} is not for a model of the task ${quote(task)}`);
  }
}
