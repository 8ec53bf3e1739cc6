import { checkInteger, checkOneOf, checkShape, checkString, quote, wrongKind, wrongRange } from '../../arguments.js';
import { argumentRangeError, CudnnGruError } from '../../errors.js';
import { GRU } from '../../layers/gru.js';
import { type Architecture, type JsonValue, Module } from '../../layers/module.js';
import { claimParameters, parameter } from '../../layers/parameters.js';
import type { QuantizedGRU } from '../../layers/quantized_gru.js';
import { zeros } from '../../tensor/creation.js';
import { type Device, deviceOf } from '../../tensor/device.js';
import { scope } from '../../tensor/scope.js';
import { elementCount, Tensor } from '../../tensor/tensor.js';
import { checkOrder, checkSupported, constantFrom, type GraphInput, type OnnxGraph, operatorOf } from './graph.js';
import { gruOperator } from './gru_operator.js';
import { type HostArray, hostArray } from './host_array.js';
import { Call, type GraphNode, type Operator } from './operator.js';
import { isTensor, toTensor, type Value } from './values.js';

/** What an input of an `OnnxModel` takes: a tensor; lengths and other integers on which shapes depend are an array. */
export type OnnxInput = Tensor | ArrayLike<number>;

/** The weights outside the GRU layers, under the names that the file gives them. */
class Weights extends Module {
  [name: `${string}`]: unknown;

  forward(): never {
    throw new CudnnGruError('ERR_INTERNAL', 'the weights of an OnnxModel compute nothing');
  }
}

const noWeights = new Weights();

/** @internal Whether a weight can have this name: it is none that modules have for something else. */
export function isFreeName(name: string): boolean {
  return !(name in noWeights);
}

/**
 * A model that was read from an ONNX file by `importOnnx`: its graph, run operation by operation. Sizes that the graph leaves open (batch,
 * time) may differ at each call. Its GRU nodes are `GRU` layers, `layers.0`, …; every other weight is a parameter under the file's name for
 * it. It can be trained, saved and quantized as any other model; dropout that the exporter removed is gone.
 *
 * @throws TypeError, RangeError; CudnnGruError `ERR_FORMAT`, `ERR_UNSUPPORTED`
 */
export class OnnxModel extends Module {
  readonly graph: OnnxGraph;
  readonly layers: readonly (GRU | QuantizedGRU)[];
  readonly weights: Weights;
  readonly #constants: ReadonlyMap<string, HostArray>;
  // The last node that reads a value: behind it, the value is disposed.
  readonly #lastUse = new Map<string, number>();

  constructor(graph: OnnxGraph) {
    super();
    checkGraphShape(graph);
    this.graph = graph;
    checkSupported(graph.nodes, graph.opset, 'the graph');
    checkOrder(graph);
    for (const { layer } of graph.nodes) {
      if (layer !== undefined) checkInteger(layer, 'layer', { min: 0, max: graph.layers.length - 1 });
    }
    this.#constants = new Map(graph.constants.map((stored) => [stored.name, constantFrom(stored)]));
    this.layers = graph.layers.map((options) => new GRU(options));
    this.weights = new Weights();
    for (const { name, shape } of graph.parameters) {
      if (!isFreeName(name)) throw wrongRange('parameters', 'names that no module has', name);
      claimParameters(elementCount(shape));
      this.weights[name] = parameter(zeros(shape));
    }
    for (const [index, node] of graph.nodes.entries()) {
      for (const name of [...node.inputs, ...node.outputs]) this.#lastUse.set(name, index);
    }
  }

  override architecture(): Architecture {
    return { type: 'OnnxModel', options: this.graph as unknown as JsonValue };
  }

  /** The names of the inputs, in the order of `forward`. */
  get inputNames(): string[] {
    return this.graph.inputs.map(({ name }) => name);
  }

  get outputNames(): string[] {
    return [...this.graph.outputs];
  }

  /**
   * Runs a graph with one output.
   *
   * @param inputs one for each of `inputNames`
   * @throws TypeError, RangeError; RangeError for a graph of several outputs: see `run`; CudnnGruError `ERR_UNSUPPORTED` for an operation that
   * needs numbers of a tensor on the host, or an integer tensor as a float one
   */
  forward(...inputs: OnnxInput[]): Tensor {
    const { outputs } = this.graph;
    const [output] = outputs;
    if (output === undefined || outputs.length !== 1) {
      throw argumentRangeError(`forward: the graph has the outputs ${outputs.join(', ')}; use run`);
    }
    return this.#run(inputs)[output] as Tensor;
  }

  /**
   * Runs the graph.
   *
   * @param inputs by name
   * @returns the outputs by name
   * @throws as `forward`
   */
  run(inputs: Readonly<Record<string, OnnxInput>>): Record<string, Tensor> {
    if (typeof inputs !== 'object' || inputs === null) throw wrongKind('inputs', 'an object of inputs by name', inputs);
    for (const name of Object.keys(inputs)) checkOneOf(name, 'inputs', this.inputNames);
    return this.#run(this.graph.inputs.map(({ name }) => inputs[name]));
  }

  #run(inputs: readonly unknown[]): Record<string, Tensor> {
    const expected = this.graph.inputs;
    if (inputs.length !== expected.length) {
      throw wrongRange('inputs', `${expected.length} inputs (${this.inputNames.join(', ')})`, inputs);
    }
    const values = new Map<string, Value>(this.#constants);
    for (const [index, input] of expected.entries()) values.set(input.name, checkInput(inputs[index], input));
    for (const { name } of this.graph.parameters) values.set(name, this.weights[name] as Tensor);
    const device = this.#device(inputs);
    const kept = new Set([...values.keys(), ...this.graph.outputs]);
    const gru = gruOperator(this.layers);
    return scope(() => {
      for (const [index, node] of this.graph.nodes.entries()) {
        const operator = node.operator === 'GRU' ? gru : (operatorOf(node.operator) as Operator);
        const results = runNode(node, operator, this.graph.opset, values, device);
        for (const [at, name] of node.outputs.entries()) {
          const result = results[at];
          if (name === '') continue;
          if (!result) throw inNode(node, new CudnnGruError('ERR_FORMAT', `it has no output ${at}`));
          values.set(name, result);
        }
        for (const name of [...node.inputs, ...node.outputs]) {
          if (this.#lastUse.get(name) !== index || kept.has(name)) continue;
          const value = values.get(name);
          if (value && isTensor(value)) value.dispose();
          values.delete(name);
        }
      }
      const outputs: Record<string, Tensor> = {};
      for (const name of this.graph.outputs) outputs[name] = toTensor(values.get(name) as Value, device);
      return outputs;
    });
  }

  #device(inputs: readonly unknown[]): Device {
    const [first = inputs.find((input) => input instanceof Tensor)] = this.parameters();
    return first?.on ?? deviceOf(undefined);
  }
}

function runNode(
  node: GraphNode,
  operator: Operator,
  opset: number,
  values: ReadonlyMap<string, Value>,
  device: Device,
): readonly Value[] {
  const inputs = node.inputs.map((name) => (name === '' ? null : (values.get(name) as Value)));
  try {
    return scope(() => operator.run(new Call(node, opset, inputs, () => device)));
  } catch (error) {
    throw inNode(node, error);
  }
}

/** The same error, saying where. */
function inNode(node: GraphNode, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const message = `${node.operator} ${quote(node.name)}: ${error.message}`;
  if (error instanceof CudnnGruError) return new CudnnGruError(error.code, message, { cause: error });
  return Object.assign(argumentRangeError(message), { cause: error });
}

function checkInput(value: unknown, { name, type, shape }: GraphInput): Value {
  const what = `input ${quote(name)}`;
  const isArray = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
  if (isArray && type !== 'float') {
    const numbers = value as ArrayLike<number>;
    for (let i = 0; i < numbers.length; i++) checkInteger(numbers[i], `${what}[${i}]`);
    checkSizes([numbers.length], shape, what, value);
    return hostArray(type, [numbers.length], numbers);
  }
  const dtype = type === 'float' ? 'float32' : 'int32';
  if (!(value instanceof Tensor) || value.dtype !== dtype) {
    throw wrongKind(what, `a Tensor of type ${dtype}${type === 'float' ? '' : ' or an array of integers'}`, value);
  }
  checkSizes(value.shape, shape, what, value);
  return value;
}

function checkSizes(sizes: readonly number[], expected: GraphInput['shape'], what: string, value: unknown): void {
  if (!expected) return;
  const fits = sizes.length === expected.length && expected.every((d, i) => typeof d === 'string' || d === sizes[i]);
  if (!fits) throw wrongRange(what, `shape [${expected.join(', ')}]`, value);
}

// A graph may come from a model file, so that nothing about it is certain.
function checkGraphShape(graph: OnnxGraph): void {
  if (typeof graph !== 'object' || graph === null) throw wrongKind('graph', 'an object', graph);
  checkInteger(graph.opset, 'opset', { min: 7, max: 1000 });
  const types = ['float', 'int', 'bool'] as const;
  for (const input of checkList(graph.inputs, 'inputs')) {
    checkString(input.name, 'input name');
    checkOneOf(input.type, 'input type', types);
    if (input.shape !== null) checkList(input.shape, 'input shape');
  }
  for (const output of checkList(graph.outputs, 'outputs')) checkString(output, 'output');
  for (const constant of checkList(graph.constants, 'constants')) {
    checkString(constant.name, 'constant name');
    checkOneOf(constant.type, 'constant type', types);
    checkShape(constant.shape, 'constant shape');
    checkList(constant.data, 'constant data');
  }
  for (const { name, shape } of checkList(graph.parameters, 'parameters')) {
    checkString(name, 'parameter name');
    checkShape(shape, 'parameter shape');
  }
  checkList(graph.layers, 'layers');
  for (const node of checkList(graph.nodes, 'nodes')) {
    checkString(node.operator, 'operator');
    if (typeof node.name !== 'string') throw wrongKind('node name', 'a string', node.name);
    for (const name of [...checkList(node.inputs, 'node inputs'), ...checkList(node.outputs, 'node outputs')]) {
      if (typeof name !== 'string') throw wrongKind('name of a value', 'a string', name);
    }
    if (typeof node.attributes !== 'object' || node.attributes === null) {
      throw wrongKind('attributes', 'an object', node.attributes);
    }
  }
}

function checkList<T>(value: readonly T[], name: string): readonly T[] {
  if (!Array.isArray(value)) throw wrongKind(name, 'an array', value);
  return value;
}
