import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import { randn, zeros } from '../../tensor/creation.js';
import { withDefaultDevice } from '../../tensor/device.js';
import { Generator } from '../../tensor/generator.js';
import type { Tensor } from '../../tensor/tensor.js';
import { writeBytes, writeFileAtomically } from '../files.js';
import type { ModelInputs } from './default_inputs.js';
import { encodeModel, type Initializer, type Partially, valueInfo } from './encode.js';
import { exportRules } from './export_rules.js';
import { GraphBuilder, type ValueName } from './graph_builder.js';
import type { GraphProto } from './schema.js';
import { type Assignments, assign, isConstant, mostNames, type Size, solveSize } from './symbols.js';
import { type ModelTrace, traceModel } from './trace_model.js';
import { distinct, originKey, TracedStep, type Tracing } from './traced_step.js';

// With LayerNormalization, and read by every runtime of the last years.
const opset = 17;
const irVersion = 8;

/** What an example input is: a tensor, or lengths on the host. */
export type ExampleInput = Tensor | Int32Array;

/** @internal See `exportOnnx`. */
export async function writeOnnx(path: string, model: Module, { inputs, forward }: ModelInputs): Promise<void> {
  const names = new Set(Object.values(inputs).flatMap(({ shape }) => shape.filter((size) => typeof size === 'string')));
  if (names.size > mostNames) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `sizes of ${names.size} names (${[...names]}); at most ${mostNames}`);
  }
  const assignments = assign([...names]);
  const traces = await traceAll(model, { inputs, forward }, assignments);
  checkSameSteps(traces);
  const builder = new GraphBuilder();
  for (const [name, { shape }] of Object.entries(inputs)) builder.addSizes(name, shape);
  const parameters = await model.stateDict();
  const tracing: Tracing = { builder, assignments, traces, parameters, values: new Map() };
  const { graph, initializers } = buildGraph(tracing, inputs);
  const parts = encodeModel(
    { ir_version: irVersion, producer_name: 'cudnn-gru', opset_import: [{ domain: '', version: opset }], graph },
    initializers,
  );
  await writeFileAtomically(path, async (file) => {
    for (const part of parts) await writeBytes(file, part);
  });
}

async function traceAll(
  model: Module,
  { inputs, forward }: ModelInputs,
  assignments: Assignments,
): Promise<ModelTrace[]> {
  const [first] = model.parameters();
  const wasTraining = model.training;
  model.eval();
  const traces: ModelTrace[] = [];
  try {
    for (const [index, sizes] of assignments.entries()) {
      const examples = withDefaultDevice(first?.device ?? 'cpu', () => exampleInputs(inputs, sizes, index));
      try {
        traces.push(await traceModel(model, examples, () => forward(examples)));
      } finally {
        for (const example of Object.values(examples)) if (!(example instanceof Int32Array)) example.dispose();
      }
    }
  } finally {
    if (wasTraining) model.train();
  }
  return traces;
}

/** Inputs of these sizes: other numbers in each trace, ids and lengths that are always valid. */
function exampleInputs(
  inputs: ModelInputs['inputs'],
  sizes: Readonly<Record<string, number>>,
  seed: number,
): Record<string, ExampleInput> {
  const generator = new Generator(seed);
  const examples: Record<string, ExampleInput> = {};
  for (const [name, { shape, type = 'float32' }] of Object.entries(inputs)) {
    const dimensions = shape.map((size) => (typeof size === 'string' ? (sizes[size] as number) : size));
    if (type === 'float32') examples[name] = randn(dimensions, { generator });
    else if (type === 'int32') examples[name] = zeros(dimensions, { dtype: 'int32' });
    else examples[name] = new Int32Array(dimensions[0] as number).fill(1);
  }
  return examples;
}

function checkSameSteps(traces: readonly ModelTrace[]): void {
  const [first, ...others] = traces.map(({ steps, outputs }) =>
    JSON.stringify([
      steps.map(({ operation, inputs, attributeOrigins }) => [operation, distinct(inputs), attributeOrigins]),
      outputs.map(({ name, origin }) => [name, origin]),
    ]),
  );
  if (others.every((other) => other === first)) return;
  throw new CudnnGruError(
    'ERR_UNSUPPORTED',
    'the model runs other operations for other sizes of its inputs (a loop over the time?): give the sizes it needs as numbers in `inputs`',
  );
}

function buildGraph(
  tracing: Tracing,
  inputs: ModelInputs['inputs'],
): { graph: Partially<GraphProto>; initializers: Initializer[] } {
  const { builder, traces, values, assignments } = tracing;
  const [first] = traces as [ModelTrace];
  for (const name of Object.keys(inputs)) values.set(originKey({ kind: 'input', name }), name);
  const outputNames = first.outputs.map(({ name }) => builder.unique(name));
  for (const index of first.steps.keys()) {
    const step = new TracedStep(tracing, index);
    const results = [runRule(step)].flat();
    for (const [result, value] of results.entries()) {
      values.set(originKey({ kind: 'result', operation: index, result }), value);
    }
  }
  const outputs = new Map<string, ValueName>();
  const output = first.outputs.map(({ origin, shape }, index) => {
    const name = outputNames[index] as string;
    const value = values.get(originKey(origin));
    if (value === undefined) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `the output ${quote(name)} depends on none of the model's inputs`);
    }
    outputs.set(name, value);
    const shapes = traces.map((trace) => trace.outputs[index]?.shape ?? []);
    const sizes = shape.map((_, axis) =>
      solveSize(
        shapes.map((one) => one[axis] ?? 0),
        assignments,
      ),
    );
    return valueInfo(
      name,
      'float32',
      sizes.map((size, axis) => sizeText(size, `${name}_axis${axis}`)),
    );
  });
  const { nodes, initializers } = builder.finish(outputs);
  const input = Object.entries(inputs).map(([name, { shape, type = 'float32' }]) =>
    valueInfo(name, type === 'float32' ? 'float32' : 'int32', shape),
  );
  return { graph: { name: 'cudnn-gru', node: nodes, input, output }, initializers };
}

function runRule(step: TracedStep): ValueName | ValueName[] {
  const rule = Object.hasOwn(exportRules, step.operation) ? exportRules[step.operation] : undefined;
  if (!rule) throw step.unsupported('this operation has no ONNX form here');
  return rule(step);
}

/** How a graph says a size: a number, or a name. */
function sizeText(size: Size | undefined, otherwise: string): number | string {
  if (!size) return otherwise;
  if (isConstant(size)) return size.offset;
  const [name] = size.names;
  return size.names.length === 1 && size.factor === 1 && size.offset === 0 ? (name as string) : otherwise;
}
