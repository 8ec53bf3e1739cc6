import { noGrad } from '../../autograd/tape.js';
import { observeOperations, type TracedOperation } from '../../autograd/trace.js';
import { CudnnGruError } from '../../errors.js';
import type { Module } from '../../layers/module.js';
import { keepFromScope, scope } from '../../tensor/scope.js';
import type { Storage } from '../../tensor/storage.js';
import { Tensor, type TensorData } from '../../tensor/tensor.js';

/** Where a tensor comes from: an input, a parameter, an operation before, or numbers that the model brought itself. */
export type Origin =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'result'; readonly operation: number; readonly result: number }
  | { readonly kind: 'constant'; readonly index: number };

/** One operation of a trace. */
export interface Step extends Omit<TracedOperation, 'inputs' | 'results'> {
  /** The module in which it ran, as `stateDict` names it; empty for the model itself. */
  readonly layer: string;
  readonly inputs: readonly (Origin | null)[];
  readonly inputShapes: readonly (readonly number[])[];
  readonly resultShapes: readonly (readonly number[])[];
  /** Where the tensors and inputs among the attributes come from. */
  readonly attributeOrigins: Readonly<Record<string, Origin>>;
}

/** What a model did with one set of inputs. */
export interface ModelTrace {
  readonly steps: readonly Step[];
  readonly outputs: readonly { readonly name: string; readonly origin: Origin; readonly shape: readonly number[] }[];
  /** Tensors that the model brought itself, read at the end of the trace. */
  readonly constants: readonly { readonly shape: readonly number[]; readonly data: TensorData }[];
}

/** Runs `forward` once and notes every operation on the way. Waits for the constants only. */
export async function traceModel(
  model: Module,
  inputs: Readonly<Record<string, unknown>>,
  forward: () => unknown,
): Promise<ModelTrace> {
  const origins = new Origins();
  for (const [name, tensor] of model.namedParameters()) origins.set(tensor, { kind: 'parameter', name });
  for (const [name, input] of Object.entries(inputs)) {
    if (input instanceof Tensor) origins.set(input, { kind: 'input', name });
  }
  const steps: Step[] = [];
  const layers: string[] = [];
  const given = new Map(Object.entries(inputs).map(([name, input]) => [input, name]));
  const originOf = (value: unknown): Origin | undefined => {
    if (value instanceof Tensor) return origins.of(value);
    const name = given.get(value);
    return name === undefined ? undefined : { kind: 'input', name };
  };
  const observe = ({ operation, attributes, inputs: read, results }: TracedOperation) => {
    const attributeOrigins: Record<string, Origin> = {};
    for (const [name, value] of Object.entries(attributes)) {
      const origin = originOf(value);
      if (origin) attributeOrigins[name] = origin;
    }
    steps.push({
      operation,
      attributes,
      layer: layers.at(-1) ?? '',
      inputs: read.map((tensor) => (tensor ? origins.of(tensor) : null)),
      inputShapes: read.map((tensor) => tensor?.shape ?? []),
      resultShapes: results.map(({ shape }) => shape),
      attributeOrigins,
    });
    for (const [result, tensor] of results.entries()) {
      origins.set(tensor, { kind: 'result', operation: steps.length - 1, result });
    }
  };
  const restore = nameLayers(model, '', layers);
  try {
    const outputs = scope(() =>
      noGrad(() => {
        const result = observeOperations(observe, forward);
        return Array.from(outputsOf(result), ([name, tensor]) => ({
          name,
          origin: origins.of(tensor),
          shape: tensor.shape,
        }));
      }),
    );
    const constants = await Promise.all(
      origins.constants.map(async (tensor) => ({ shape: tensor.shape, data: await tensor.data() })),
    );
    return { steps, outputs, constants };
  } finally {
    restore();
    for (const tensor of origins.constants) tensor.dispose();
  }
}

/** Tensors by their memory and shape: a detached tensor is the one that it was. */
class Origins {
  readonly constants: Tensor[] = [];
  readonly #known = new Map<Storage, Map<string, Origin>>();

  set(tensor: Tensor, origin: Origin): void {
    const shapes = this.#known.get(tensor.storage) ?? new Map<string, Origin>();
    this.#known.set(tensor.storage, shapes.set(String(tensor.shape), origin));
  }

  of(tensor: Tensor): Origin {
    const known = this.#known.get(tensor.storage)?.get(String(tensor.shape));
    if (known) return known;
    const origin: Origin = { kind: 'constant', index: this.constants.length };
    this.constants.push(keepFromScope(tensor.detach()));
    this.set(tensor, origin);
    return origin;
  }
}

/** Makes every module note its name while it runs; gives the function that undoes it. */
function nameLayers(module: Module, path: string, running: string[]): () => void {
  const undo: (() => void)[] = [];
  for (const [name, child] of module.children()) {
    undo.push(nameLayers(child, path === '' ? name : `${path}.${name}`, running));
  }
  const own = module as unknown as { forward: (...inputs: unknown[]) => unknown };
  const forward = own.forward;
  const isOwn = Object.hasOwn(own, 'forward');
  own.forward = (...inputs) => {
    running.push(path);
    try {
      return forward.apply(module, inputs);
    } finally {
      running.pop();
    }
  };
  undo.push(() => {
    if (isOwn) own.forward = forward;
    else delete (own as Partial<typeof own>).forward;
  });
  // A module that is there twice was wrapped twice.
  return () => {
    for (const one of undo.reverse()) one();
  };
}

/** The tensors of a model's answer, with a name for each. */
function* outputsOf(value: unknown, name = ''): Generator<[string, Tensor]> {
  if (value instanceof Tensor) yield [name === '' ? 'output' : name, value];
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* outputsOf(item, `${name === '' ? 'output' : name}_${index}`);
  } else if (value && typeof value === 'object' && !(value instanceof Promise)) {
    for (const [key, item] of Object.entries(value)) yield* outputsOf(item, name === '' ? key : `${name}_${key}`);
  } else if (value !== null && value !== undefined) {
    throw new CudnnGruError('ERR_UNSUPPORTED', 'a model whose forward gives something else than tensors');
  }
}
