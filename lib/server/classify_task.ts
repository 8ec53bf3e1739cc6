import Type from 'typebox';
import { wrongKind, wrongRange } from '../arguments.js';
import type { HostArray } from '../data/types.js';
import type { TensorSpec } from '../inference/signature.js';
import { toProbabilities } from '../tasks/classification/evaluate_classifier.js';
import { Classifier, classifierPreprocessingOf } from '../tasks/index.js';
import { checkValues, readNumbers } from './inference_request.js';
import type { Task } from './task_routes.js';

const mostSequences = 64;
const Sequences = Type.Array(Type.Array(Type.Unknown(), { minItems: 1 }), {
  minItems: 1,
  maxItems: mostSequences,
  description: 'Each a list of steps: rows of features, or token numbers. Their lengths may differ.',
});

/** `/classify`: the class of each sequence. */
export const classifyTask: Task = {
  name: 'classify',
  summary: 'Tells the classes of sequences',
  properties: { sequences: Sequences },

  serves: ({ model }) => model instanceof Classifier && model.preprocessing !== null,

  async answer(served, body, signal) {
    const { sequences } = body as { sequences: Type.Static<typeof Sequences> };
    const preprocessing = classifierPreprocessingOf(served.model);
    const spec = served.signature.inputs[0] as TensorSpec;
    const calls = sequences.map((steps, i) => readSequence(steps, spec, served.maxSteps, `sequences[${i}]`));
    // Each is a call of its own: the batcher puts those together that go well together.
    const answers = await Promise.all(calls.map((call) => served.infer([call], signal)));
    const { classes } = preprocessing;
    const results = answers.map(([logits]) => {
      const probabilities = toProbabilities(logits?.data as Float32Array, preprocessing);
      const best = probabilities.indexOf(Math.max(...probabilities));
      return { class: classes[best], probabilities: Array.from(probabilities) };
    });
    return { classes, results };
  },
};

function readSequence(steps: readonly unknown[], spec: TensorSpec, maxSteps: number, field: string): HostArray {
  if (steps.length > maxSteps) throw wrongRange(field, `at most ${maxSteps} steps`, steps);
  const shape = [steps.length, ...(spec.shape.slice(2) as number[])];
  if (shape.length === 2 && !Array.isArray(steps[0]))
    throw wrongKind(`${field}[0]`, `an array of ${shape[1]}`, steps[0]);
  const data = readNumbers(steps, spec, shape, field);
  checkValues(data, spec, field);
  return { data, shape: [1, ...shape] };
}
