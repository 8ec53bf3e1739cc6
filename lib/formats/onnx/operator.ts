import { CudnnGruError } from '../../errors.js';
import { fill } from '../../ops/result.js';
import type { Device } from '../../tensor/device.js';
import type { Tensor } from '../../tensor/tensor.js';
import { toHost, toTensor, type Value } from './values.js';

export type Attribute = number | string | readonly number[] | readonly string[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** One node of a graph. */
export interface GraphNode {
  /** The exporter's name, for messages. */
  readonly name: string;
  readonly operator: string;
  /** Names of values; empty for an input that is left out. */
  readonly inputs: readonly string[];
  /** Names of values; empty for an output that nobody reads. */
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** Of a GRU whose weights are parameters: which of the model's GRU layers it is. */
  readonly layer?: number;
}

/** What an ONNX operator does here. */
export interface Operator {
  /** How many inputs it takes. */
  readonly inputs: readonly [least: number, most: number];
  /** The attributes it knows; a node with others is refused. */
  readonly attributes: readonly string[];
  /** The inputs that hold weights: a float constant there with an axis or more is a parameter. */
  readonly weights?: readonly number[];
  /** Why a node cannot be run, apart from its inputs and attributes; undefined when it can. */
  refuse?(node: GraphNode, opset: number): string | undefined;
  run(call: Call): readonly Value[];
}

/** A node with its inputs, while it runs. */
export class Call {
  constructor(
    readonly node: GraphNode,
    readonly opset: number,
    readonly inputs: readonly (Value | null)[],
    private readonly where: () => Device,
  ) {}

  /** Where tensors are made. */
  get device(): Device {
    return this.where();
  }

  has(index: number): boolean {
    return this.inputs[index] != null;
  }

  value(index: number): Value {
    const value = this.inputs[index];
    if (value) return value;
    throw new CudnnGruError('ERR_FORMAT', `input ${index} is missing`);
  }

  tensor(index: number): Tensor {
    return toTensor(this.value(index), this.device);
  }

  /** The numbers of an input that must be on the host. */
  numbers(index: number): number[] {
    return Array.from(toHost(this.value(index), `input ${index}`).data);
  }

  number(name: string, otherwise: number): number {
    return attributeNumber(this.node, name, otherwise);
  }

  /** A list that old operator sets have as an attribute and newer ones as an input; undefined when there is neither. */
  list(name: string, input: number): readonly number[] | undefined {
    if (this.has(input)) return this.numbers(input);
    return attributeNumbers(this.node, name);
  }

  zeros(shape: readonly number[]): Tensor {
    return fill(shape, 0, this.device);
  }
}

function wrongAttribute(node: GraphNode, name: string, expected: string): Error {
  return new CudnnGruError('ERR_FORMAT', `attribute ${name} of ${node.operator} is no ${expected}`);
}

export function attributeNumber(node: GraphNode, name: string, otherwise: number): number {
  const value = node.attributes[name] ?? otherwise;
  if (typeof value === 'number') return value;
  throw wrongAttribute(node, name, 'number');
}

export function attributeText(node: GraphNode, name: string, otherwise: string): string {
  const value = node.attributes[name] ?? otherwise;
  if (typeof value === 'string') return value;
  throw wrongAttribute(node, name, 'string');
}

export function attributeNumbers(node: GraphNode, name: string): readonly number[] | undefined {
  const value = node.attributes[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value;
  throw wrongAttribute(node, name, 'list of numbers');
}

/** For `Operator.refuse`, where an operator's further outputs are not calculated. */
export function onlyFirstOutput(node: GraphNode): string | undefined {
  return node.outputs.slice(1).some(Boolean) ? 'an output besides its first' : undefined;
}
