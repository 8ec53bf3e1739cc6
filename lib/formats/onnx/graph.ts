import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { elementCount } from '../../tensor/tensor.js';
import { type GruLayerOptions, gruOperator } from './gru_operator.js';
import { type HostArray, type HostType, hostArray } from './host_array.js';
import { hostOperators } from './host_operators.js';
import { mathOperators } from './math_operators.js';
import type { GraphNode, Operator } from './operator.js';
import { shapeOperators } from './shape_operators.js';

/** An input of a graph. */
export interface GraphInput {
  readonly name: string;
  readonly type: HostType;
  /** Sizes, and names of sizes that may vary; null where the file says nothing. */
  readonly shape: readonly (number | string)[] | null;
}

/** A constant as JSON holds it: what is not finite is a string. */
export interface StoredConstant {
  readonly name: string;
  readonly type: HostType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

/** An ONNX graph as the model file's metadata hold it: everything but the numbers of the parameters. */
export interface OnnxGraph {
  /** Version of the standard operators. */
  readonly opset: number;
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly string[];
  readonly constants: readonly StoredConstant[];
  /** Weights outside the GRU layers. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly layers: readonly GruLayerOptions[];
  /** In the order in which they run. */
  readonly nodes: readonly GraphNode[];
}

const operators: Readonly<Record<string, Operator>> = {
  ...shapeOperators,
  ...hostOperators,
  ...mathOperators,
  GRU: gruOperator([]),
};

/** The operator of this name, the GRU without layers; undefined for one that is not supported. */
export function operatorOf(name: string): Operator | undefined {
  return Object.hasOwn(operators, name) ? operators[name] : undefined;
}

const loops = new Set(['Loop', 'Scan', 'If', 'LSTM', 'RNN']);

/** @throws CudnnGruError `ERR_UNSUPPORTED` naming everything in the graph that this library does not run */
export function checkSupported(nodes: readonly GraphNode[], opset: number, source: string): void {
  const found = new Map<string, string[]>();
  for (const node of nodes) {
    const reason = refusal(node, opset);
    if (reason === undefined) continue;
    const names = found.get(reason) ?? [];
    names.push(node.name);
    found.set(reason, names);
  }
  if (found.size === 0) return;
  const list = Array.from(found, ([reason, names]) => {
    const more = names.length > 3 ? `, … (${names.length} in all)` : '';
    return `${reason} (${names.slice(0, 3).map(quote).join(', ')}${more})`;
  });
  const isLoop = [...found.keys()].some((reason) => loops.has(reason));
  const remedy = isLoop
    ? '; a GRU that was exported as a loop cannot be recognised: import the .keras or .pt file of the model instead, or export it with its GRU node'
    : '';
  throw new CudnnGruError('ERR_UNSUPPORTED', `${source} holds what is not supported: ${list.join('; ')}${remedy}`);
}

function refusal(node: GraphNode, opset: number): string | undefined {
  const operator = operatorOf(node.operator);
  if (!operator) return node.operator;
  const { attributes, inputs } = operator;
  const reason = operator.refuse?.(node, opset);
  if (reason !== undefined) return `${node.operator} with ${reason}`;
  const unknown = Object.keys(node.attributes).filter((name) => !attributes.includes(name));
  if (unknown.length > 0) return `${node.operator} with ${unknown.join(', ')}`;
  const [least, most] = inputs;
  if (node.inputs.length >= least && node.inputs.length <= most) return undefined;
  return `${node.operator} with ${node.inputs.length} inputs`;
}

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a valid ONNX graph: ${reason}`);
}

/** @throws CudnnGruError `ERR_FORMAT` for a value that is read before it is made, or made twice */
export function checkOrder(graph: OnnxGraph): void {
  const known = new Set<string>();
  const define = (name: string) => {
    if (known.has(name)) throw malformed(`the value ${quote(name)} is made twice`);
    known.add(name);
  };
  for (const { name } of [...graph.inputs, ...graph.constants, ...graph.parameters]) define(name);
  const use = (name: string) => {
    if (!known.has(name)) throw malformed(`the value ${quote(name)} is used before it is made`);
  };
  for (const node of graph.nodes) {
    for (const name of node.inputs) if (name !== '') use(name);
    for (const name of node.outputs) if (name !== '') define(name);
  }
  for (const name of graph.outputs) use(name);
}

/** The opposite of `storedConstant`. @throws CudnnGruError `ERR_FORMAT` */
export function constantFrom(stored: StoredConstant): HostArray {
  const { name, type, shape, data } = stored;
  if (elementCount(shape) !== data.length) throw malformed(`the constant ${quote(name)} does not fill its shape`);
  return hostArray(type, shape, data.map(Number));
}

export function storedConstant(name: string, { type, shape, data }: HostArray): StoredConstant {
  const numbers = Array.from(data, (value) => (Number.isFinite(value) ? value : String(value)));
  return { name, type, shape: [...shape], data: numbers };
}

/** The nodes that the outputs depend on, in their order. */
export function reachable(nodes: readonly GraphNode[], outputs: readonly string[]): GraphNode[] {
  const needed = new Set(outputs);
  const kept = nodes.toReversed().filter((node) => {
    const isNeeded = node.outputs.some((name) => name !== '' && needed.has(name));
    if (isNeeded) for (const name of node.inputs) needed.add(name);
    return isNeeded;
  });
  return kept.reverse();
}
