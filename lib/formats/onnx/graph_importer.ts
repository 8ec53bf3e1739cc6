import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import { synchronize } from '../../tensor/device.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { nameProblem } from '../safetensors_header.js';
import { checkSupported, type GraphInput, type OnnxGraph, operatorOf, reachable, storedConstant } from './graph.js';
import { exchangeGates, type GruLayerOptions, isBatchMajor, isBidirectional, variantOf } from './gru_operator.js';
import { type HostArray, hostArray } from './host_array.js';
import { graphNode, tensorAttribute } from './nodes.js';
import { isFreeName, type OnnxModel } from './onnx_model.js';
import { Call, type GraphNode } from './operator.js';
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from './schema.js';
import { hostTypeOf } from './shape_operators.js';
import type { TensorReader } from './tensors.js';
import { isTensor } from './values.js';

// Constants travel as text in a model file's metadata.
const mostConstants = 1 << 20;

// Nodes between a weight and the GRU that reads it: some exporters leave the reordering of the gates in the graph.
const mostStepsToWeight = 32;

/** The weights of a GRU layer, and the layer. */
interface Layer {
  readonly options: GruLayerOptions;
  readonly weights: readonly HostArray[];
}

/**
 * Makes an `OnnxGraph` of a file's graph: what is constant is calculated, GRU nodes with constant weights become layers, the other weights
 * parameters. A constant that several nodes read is left alone where it may be a weight, so that tied weights stay tied.
 */
export class GraphImporter {
  readonly #opset: number;
  readonly #tensors: TensorReader;
  readonly #constants = new Map<string, HostArray>();
  readonly #inputs: GraphInput[];
  readonly #outputs: string[];
  readonly #layers: Layer[] = [];
  readonly #layerIndices = new Map<string, number>();
  // A parameter's name here, by the file's name of the value.
  readonly #parameters = new Map<string, string>();
  #nodes: GraphNode[] = [];
  #budget = mostConstants;

  private constructor(proto: GraphProto, opset: number, tensors: TensorReader) {
    this.#opset = opset;
    this.#tensors = tensors;
    const initial = new Set(proto.initializer.map(({ name }) => name));
    this.#inputs = proto.input.filter(({ name }) => !initial.has(name)).map(graphInput);
    this.#outputs = proto.output.map(({ name = '' }) => name);
  }

  /** @throws CudnnGruError `ERR_FORMAT`, `ERR_UNSUPPORTED`, `ERR_FILE` */
  static async convert(proto: GraphProto, opset: number, tensors: TensorReader): Promise<GraphImporter> {
    const importer = new GraphImporter(proto, opset, tensors);
    const protos = new Map(proto.node.map((node, index) => [graphNode(node, index), node]));
    const needed = reachable([...protos.keys()], importer.#outputs);
    checkSupported(
      needed.filter(({ operator }) => operator !== 'Constant'),
      opset,
      'the graph',
    );
    await importer.#readInitializers(proto.initializer, needed);
    for (const node of needed) await importer.#readNode(node, protos.get(node) as NodeProto);
    importer.#fold();
    importer.#makeLayers();
    importer.#nodes = reachable(importer.#nodes, importer.#outputs);
    importer.#chooseParameters();
    return importer;
  }

  graph(): OnnxGraph {
    const read = new Set([...this.#nodes.flatMap(({ inputs }) => inputs), ...this.#outputs]);
    const constants = [...this.#constants].filter(([name]) => read.has(name) && !this.#parameters.has(name));
    const elements = constants.reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
    if (elements > mostConstants) {
      throw new CudnnGruError('ERR_UNSUPPORTED', `constants of ${elements} elements that are no weights`);
    }
    return {
      opset: this.#opset,
      inputs: this.#inputs,
      outputs: this.#outputs,
      constants: constants.map(([name, value]) => storedConstant(name, value)),
      parameters: Array.from(this.#parameters, ([value, name]) => ({ name, shape: this.#constant(value).shape })),
      layers: this.#layers.map(({ options }) => options),
      nodes: this.#nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((name) => this.#parameters.get(name) ?? name),
      })),
    };
  }

  /** Gives the parameters of the model that was made of `graph()` their numbers, and forgets these: once only. */
  async writeInto(model: OnnxModel): Promise<void> {
    // What the queue still has to do would make it keep a copy of all that is written.
    await synchronize(model.parameters()[0]?.device);
    for (const [value, name] of this.#parameters) {
      (model.weights[name] as Tensor).write(floats(this.#constant(value)));
    }
    this.#constants.clear();
    // In place and back: another node may read the same weights.
    const write = (parameter: Tensor | undefined, numbers: Float32Array) => {
      exchangeGates(numbers);
      parameter?.write(numbers);
      exchangeGates(numbers);
    };
    for (let index = 0; this.#layers.length > 0; index++) {
      const { options, weights } = this.#layers.shift() as Layer;
      const layer = model.layers[index] as OnnxModel['layers'][number];
      const directions = options.bidirectional ? ['', '_reverse'] : [''];
      for (const [at, direction] of directions.entries()) {
        const [w, r, b] = weights.map((array) => part(array, at, directions.length));
        write(layer[`weight_ih_l0${direction}`], w as Float32Array);
        write(layer[`weight_hh_l0${direction}`], r as Float32Array);
        if (!b) continue;
        write(layer[`bias_ih_l0${direction}`], b.subarray(0, b.length / 2));
        write(layer[`bias_hh_l0${direction}`], b.subarray(b.length / 2));
      }
    }
  }

  #constant(name: string): HostArray {
    const value = this.#constants.get(name);
    if (value) return value;
    throw new CudnnGruError('ERR_INTERNAL', `no constant ${quote(name)}`);
  }

  async #readInitializers(initializers: readonly TensorProto[], nodes: readonly GraphNode[]): Promise<void> {
    const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...this.#outputs]);
    for (const tensor of initializers) {
      const name = tensor.name ?? '';
      if (this.#constants.has(name)) {
        throw new CudnnGruError('ERR_FORMAT', `not a valid ONNX file: the tensor ${quote(name)} is there twice`);
      }
      if (!read.has(name)) continue;
      const value = await this.#tensors.read(tensor);
      this.#budget += elementCount(value.shape);
      this.#constants.set(name, value);
    }
  }

  /** Takes a node over; a Constant becomes one, and the tensor of a ConstantOfShape two numbers. */
  async #readNode(node: GraphNode, proto: NodeProto): Promise<void> {
    if (node.operator !== 'Constant' && node.operator !== 'ConstantOfShape') {
      this.#nodes.push(node);
      return;
    }
    const tensor = tensorAttribute(proto, 'value');
    const value = tensor ? await this.#tensors.read(tensor) : constantOf(node);
    if (node.operator === 'Constant') this.#constants.set(node.outputs[0] ?? '', value);
    else this.#nodes.push({ ...node, attributes: { value: value.data[0] ?? 0, type: tensor?.data_type ?? 1 } });
  }

  /** Calculates what depends on constants only, but for weights that more than one node reads. */
  #fold(): void {
    const readers = new Map<string, number>();
    for (const name of [...this.#nodes.flatMap(({ inputs }) => inputs), ...this.#outputs]) {
      readers.set(name, (readers.get(name) ?? 0) + 1);
    }
    const isTied = (name: string) => {
      const value = this.#constants.get(name);
      return value?.type === 'float' && elementCount(value.shape) > 1 && (readers.get(name) ?? 0) > 1;
    };
    this.#nodes = this.#nodes.filter((node) => {
      if (node.inputs.some(isTied) || !this.#calculate(node)) return true;
      for (const name of node.inputs) if (readers.get(name) === 1) this.#constants.delete(name);
      return false;
    });
  }

  /** Whether the node's outputs could be calculated on the host; they are constants then. */
  #calculate(node: GraphNode): boolean {
    const inputs = node.inputs.map((name) => (name === '' ? null : this.#constants.get(name)));
    if (node.operator === 'GRU' || inputs.some((value) => value === undefined)) return false;
    const call = new Call(node, this.#opset, inputs as (HostArray | null)[], () => {
      throw new NeedsDevice();
    });
    try {
      const results = operatorOf(node.operator)?.run(call) ?? [];
      if (results.some(isTensor)) return false;
      for (const [index, name] of node.outputs.entries()) {
        const result = results[index] as HostArray | undefined;
        if (name === '' || !result) continue;
        this.#spend(result.data.length);
        this.#constants.set(name, result);
      }
      return true;
    } catch (error) {
      if (error instanceof NeedsDevice) return false;
      throw error;
    }
  }

  // A small file could ask for constants without end.
  #spend(elements: number): void {
    this.#budget -= elements;
    if (this.#budget >= 0) return;
    throw new CudnnGruError('ERR_UNSUPPORTED', 'a graph that calculates more constants than it holds');
  }

  #makeLayers(): void {
    const producers = new Map(this.#nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
    this.#nodes = this.#nodes.map((node) => {
      if (node.operator !== 'GRU') return node;
      const names = node.inputs.slice(1, 4).filter((name) => name !== '');
      const weights = names.map((name) => this.#resolve(name, producers, mostStepsToWeight));
      if (!weights.every((weight) => weight !== undefined)) return node;
      const inputs = node.inputs.map((name, index) => (index >= 1 && index <= 3 ? '' : name));
      return { ...node, inputs, layer: this.#layer(node, names, weights) };
    });
  }

  /** The constant of this name, calculated also where `#fold` left it alone because it is read more than once. */
  #resolve(name: string, producers: ReadonlyMap<string, GraphNode>, steps: number): HostArray | undefined {
    const found = this.#constants.get(name);
    const node = producers.get(name);
    if (found || !node || steps === 0) return found;
    const isConstant = node.inputs.every((input) => input === '' || this.#resolve(input, producers, steps - 1));
    return isConstant && this.#calculate(node) ? this.#constants.get(name) : undefined;
  }

  /** The index of the layer with these weights: nodes that share theirs share it. */
  #layer(node: GraphNode, names: readonly string[], weights: readonly HostArray[]): number {
    const options = layerOptions(node, weights);
    const key = JSON.stringify([names, options]);
    const index = this.#layerIndices.get(key) ?? this.#layers.push({ options, weights }) - 1;
    this.#layerIndices.set(key, index);
    return index;
  }

  #chooseParameters(): void {
    const names = new Set([...this.#inputs.map(({ name }) => name), ...this.#nodes.flatMap((node) => node.outputs)]);
    for (const node of this.#nodes) {
      for (const index of operatorOf(node.operator)?.weights ?? []) {
        const name = node.inputs[index] ?? '';
        const value = this.#constants.get(name);
        if (value?.type !== 'float' || value.shape.length === 0 || this.#parameters.has(name)) continue;
        this.#parameters.set(name, uniqueName(name, names));
      }
    }
  }
}

/** Thrown where a node that is being calculated on the host wants a tensor. */
class NeedsDevice extends Error {}

/** A name that a module's property and a tensor in a file can have. */
function uniqueName(name: string, taken: Set<string>): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  let unique = name.replace(/[\u0000-\u001f\u007f\p{Surrogate}]/gu, '_');
  while (!isFreeName(unique) || nameProblem(unique) !== undefined || taken.has(unique)) unique += '_';
  taken.add(unique);
  return unique;
}

function graphInput({ name = '', type }: ValueInfoProto): GraphInput {
  const hostType = hostTypeOf(type?.tensor_type?.elem_type);
  if (hostType === undefined) {
    throw new CudnnGruError('ERR_UNSUPPORTED', `the input ${quote(name)} is no tensor of numbers`);
  }
  const dims = type?.tensor_type?.shape?.dim;
  const shape =
    dims?.map(({ dim_value, dim_param }, axis) => dim_value ?? (dim_param || `${name}_axis${axis}`)) ?? null;
  return { name, type: hostType, shape };
}

/** The value of a Constant node that is no tensor. */
function constantOf({ operator, name, attributes }: GraphNode): HostArray {
  if (operator === 'ConstantOfShape') return hostArray('float', [1], [0]);
  const { value_float: float, value_int: int, value_floats: floats, value_ints: ints } = attributes;
  if (typeof float === 'number') return hostArray('float', [], [float]);
  if (typeof int === 'number') return hostArray('int', [], [int]);
  if (Array.isArray(floats)) return hostArray('float', [floats.length], floats as number[]);
  if (Array.isArray(ints)) return hostArray('int', [ints.length], ints as number[]);
  throw new CudnnGruError('ERR_UNSUPPORTED', `the Constant ${quote(name)} is no number or list of numbers`);
}

function layerOptions(node: GraphNode, weights: readonly HostArray[]): GruLayerOptions {
  const bidirectional = isBidirectional(node);
  const directions = bidirectional ? 2 : 1;
  const [inputSize, hiddenSize] = [weights[0]?.shape[2] ?? 0, weights[1]?.shape[2] ?? 0];
  const expected = [
    [directions, 3 * hiddenSize, inputSize],
    [directions, 3 * hiddenSize, hiddenSize],
    [directions, 6 * hiddenSize],
  ];
  for (const [index, { shape, type }] of weights.entries()) {
    if (type === 'float' && String(shape) === String(expected[index])) continue;
    throw new CudnnGruError(
      'ERR_FORMAT',
      `not a valid ONNX graph: GRU ${quote(node.name)} has weights of shape [${shape}] instead of [${expected[index]}]`,
    );
  }
  const bias = weights.length === 3;
  return { inputSize, hiddenSize, bidirectional, bias, variant: variantOf(node), timeMajor: !isBatchMajor(node) };
}

function floats({ data }: HostArray): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** The part of an array that belongs to one of the directions. */
function part(array: HostArray, index: number, directions: number): Float32Array {
  const length = array.data.length / directions;
  return floats(array).subarray(index * length, (index + 1) * length);
}
