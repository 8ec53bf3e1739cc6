import { hint, quote } from '../arguments.js';
import { type Command, resultOptions } from './command.js';
import { UsageError } from './options.js';
import { tasks } from './tasks/index.js';

/**
 * The command `train <task>` with the options of that task.
 * @param words what stands behind `train` on the command line; options may come before the task
 */
export function trainCommand(words: readonly string[]): Command {
  const task = tasks.find(({ name }) => words.includes(name));
  if (task === undefined) return trainWithoutTask;
  return {
    usage: 'train <task>',
    description: `Train a model of ${task.description}`,
    options: [...task.train.options, ...resultOptions],
    examples: task.train.examples,
    run: (_, options) => task.train.run(options),
  };
}

const names = tasks.map(({ name }) => name);

const trainWithoutTask: Command = {
  usage: 'train <task>',
  description: `Train a model. Tasks: ${tasks.map(({ name, description }) => `${name}: ${description}`).join('; ')}`,
  options: resultOptions,
  // What it would mean, only the task knows; the answer is that there is no such task.
  anyOptions: true,
  examples: tasks.map(({ train }) => train.examples[0] as string),
  async run([word = '']) {
    throw new UsageError(`unknown task ${quote(word)}${hint(word, names)}; known: ${names.join(', ')}`);
  },
};
