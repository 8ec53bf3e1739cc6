import { CudnnGruError } from '../../errors.js';
import { elementCount, type TensorData } from '../../tensor/tensor.js';
import type { GraphBuilder, ValueName } from './graph_builder.js';
import type { Attribute } from './operator.js';
import { type Assignments, type Size, solveSize } from './symbols.js';
import type { ModelTrace, Origin, Step } from './trace_model.js';

/** Everything known about the traces of a model, and the graph that is made of them. */
export interface Tracing {
  readonly builder: GraphBuilder;
  readonly assignments: Assignments;
  readonly traces: readonly ModelTrace[];
  /** The parameters' numbers, by name. */
  readonly parameters: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: TensorData }>>;
  /** The graph's values by `originKey`. */
  readonly values: Map<string, ValueName>;
}

export function originKey(origin: Origin): string {
  return origin.kind === 'result'
    ? `${origin.operation}.${origin.result}`
    : `${origin.kind} ${'name' in origin ? origin.name : origin.index}`;
}

/** Inputs without those that are the same as the one before: a tensor may be repeated as often as a size says. */
export function distinct(origins: readonly (Origin | null)[]): (Origin | null)[] {
  const key = (origin: Origin | null | undefined) => (origin ? originKey(origin) : '');
  return origins.filter((origin, index) => index === 0 || key(origin) !== key(origins[index - 1]));
}

/** One operation of the model, as its rule sees it: the same step of all traces. */
export class TracedStep {
  readonly #tracing: Tracing;
  readonly #steps: readonly Step[];

  constructor(tracing: Tracing, index: number) {
    this.#tracing = tracing;
    this.#steps = tracing.traces.map(({ steps }) => steps[index] as Step);
  }

  get builder(): GraphBuilder {
    return this.#tracing.builder;
  }

  get #first(): Step {
    return this.#steps[0] as Step;
  }

  get operation(): string {
    return this.#first.operation;
  }

  get layer(): string {
    return this.#first.layer;
  }

  get inputs(): readonly (Origin | null)[] {
    return this.#first.inputs;
  }

  /** @param reason completes `the operation … cannot be exported: ` */
  unsupported(reason: string): CudnnGruError {
    const where = this.layer === '' ? 'the model itself' : `layer ${JSON.stringify(this.layer)}`;
    return new CudnnGruError(
      'ERR_UNSUPPORTED',
      `${this.operation}, in ${where}, cannot be exported to ONNX: ${reason}`,
    );
  }

  node(operator: string, inputs: readonly ValueName[], attributes: Record<string, Attribute> = {}): ValueName {
    return this.builder.node(operator, inputs, attributes, this.layer);
  }

  has(index: number): boolean {
    return this.inputs[index] != null;
  }

  input(index: number): ValueName {
    const origin = this.inputs[index];
    if (!origin) throw new CudnnGruError('ERR_INTERNAL', `${this.operation} has no input ${index}`);
    return this.value(origin);
  }

  /** The graph's value for a tensor of the model. */
  value(origin: Origin): ValueName {
    const key = originKey(origin);
    const known = this.#tracing.values.get(key);
    if (known !== undefined) return known;
    const made = this.#bring(origin);
    this.#tracing.values.set(key, made);
    return made;
  }

  /** The numbers of an input that does not depend on the model's inputs; undefined for one that does. */
  numbers(index: number): TensorData | undefined {
    const origin = this.inputs[index];
    if (origin?.kind === 'parameter') return this.#tracing.parameters[origin.name]?.data;
    return origin?.kind === 'constant' ? this.#constant(origin.index).data : undefined;
  }

  inputShape(index: number): Size[] {
    return this.#sizes(this.#steps.map(({ inputShapes }) => inputShapes[index] ?? []));
  }

  resultShape(): Size[] {
    return this.#sizes(this.#steps.map(({ resultShapes }) => resultShapes[0] ?? []));
  }

  /** How many inputs there are, as it depends on the sizes. */
  inputCount(): Size {
    return this.#solve(
      this.#steps.map(({ inputs }) => inputs.length),
      'the number of its inputs',
    );
  }

  /** Shapes of an input in each of the traces. */
  inputShapes(index: number): (readonly number[])[] {
    return this.#steps.map(({ inputShapes }) => inputShapes[index] ?? []);
  }

  /** An attribute that does not depend on the sizes. */
  attribute<T>(name: string): T {
    const [value, ...others] = this.attributes(name);
    if (others.every((other) => JSON.stringify(other) === JSON.stringify(value))) return value as T;
    throw this.unsupported(`its ${name} depends on the sizes`);
  }

  /** An attribute in each of the traces. */
  attributes(name: string): unknown[] {
    return this.#steps.map(({ attributes }) => attributes[name]);
  }

  /** Where an attribute comes from, if it is a tensor or an input of the model. */
  attributeOrigin(name: string): Origin | undefined {
    return this.#first.attributeOrigins[name];
  }

  /** A number among the attributes as it depends on the sizes. */
  size(name: string): Size {
    return this.#solve(this.attributes(name) as number[], `its ${name}`);
  }

  #sizes(shapes: readonly (readonly number[])[]): Size[] {
    const [first = []] = shapes;
    return first.map((_, axis) =>
      this.#solve(
        shapes.map((shape) => shape[axis] ?? Number.NaN),
        'a shape',
      ),
    );
  }

  #solve(values: readonly number[], what: string): Size {
    const size = solveSize(values, this.#tracing.assignments);
    if (size) return size;
    throw this.unsupported(`${what} depends on the sizes of the inputs in a way that is not a multiple of them`);
  }

  #bring(origin: Origin): ValueName {
    if (origin.kind === 'parameter') {
      const { shape, data } = this.#tracing.parameters[origin.name] as Tracing['parameters'][string];
      return this.builder.weight(origin.name, shape, data);
    }
    if (origin.kind !== 'constant') {
      throw this.unsupported('it reads the result of an operation that has no ONNX form, or a tensor that was changed');
    }
    const { shape, data } = this.#constant(origin.index);
    const shapes = this.#tracing.traces.map(({ constants }) => constants[origin.index]?.shape ?? []);
    if (shapes.every((other) => String(other) === String(shape))) return this.builder.weight('constant', shape, data);
    const filled = this.builder.weight('filled', [], data.slice(0, 1));
    return this.node('Expand', [filled, this.builder.sizes(this.#sizes(shapes))]);
  }

  /** A tensor that the model brought itself: the same in every trace, or of one number whose shape follows the sizes. */
  #constant(index: number): { shape: readonly number[]; data: TensorData } {
    const all = this.#tracing.traces.map(
      ({ constants }) => constants[index] ?? { shape: [], data: new Float32Array(0) },
    );
    const [first, ...others] = all as [(typeof all)[number], ...typeof all];
    const isSame = others.every(
      ({ shape, data }) =>
        String(shape) === String(first.shape) && data.every((value, i) => Object.is(value, first.data[i])),
    );
    const isFilled = all.every(
      ({ shape, data }) => elementCount(shape) > 0 && data.every((value) => Object.is(value, first.data[0])),
    );
    if (isSame || isFilled) return first;
    throw this.unsupported(
      'it reads a tensor that the model makes anew from something else than its inputs by operations',
    );
  }
}
