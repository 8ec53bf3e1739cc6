import { elementCount } from '../../tensor/tensor.js';
import type { Initializer, Partially } from './encode.js';
import type { Attribute } from './operator.js';
import { type AttributeProto, attributeTypes, dataTypes, type NodeProto } from './schema.js';
import { isConstant, type Size } from './symbols.js';

/** The name of a value in the graph that is built. */
export type ValueName = string;

const elementBytes = { float32: 4, int32: 4, int64: 8 } as const;

/** Attributes whose numbers are floats; of the others they are integers. */
const floatAttributes = new Set(['epsilon', 'alpha', 'beta']);

/** Collects the nodes and constants of an ONNX graph. */
export class GraphBuilder {
  readonly #nodes: Partially<NodeProto>[] = [];
  readonly #initializers = new Map<ValueName, Initializer>();
  readonly #names = new Set<string>();
  // Values that were built once and serve everywhere: sizes and constants, by what they are.
  readonly #shared = new Map<string, ValueName>();
  readonly #inputAxes = new Map<string, { input: ValueName; axis: number }>();

  /** Adds an input's sizes to those that can be calculated. */
  addSizes(input: ValueName, shape: readonly (number | string)[]): void {
    this.#names.add(input);
    for (const [axis, size] of shape.entries()) {
      if (typeof size === 'string' && !this.#inputAxes.has(size)) this.#inputAxes.set(size, { input, axis });
    }
  }

  /** A name that nothing else has. */
  unique(name: string): string {
    let unique = name;
    for (let count = 1; this.#names.has(unique); count++) unique = `${name}_${count}`;
    this.#names.add(unique);
    return unique;
  }

  /** A node with one output. */
  node(
    operator: string,
    inputs: readonly ValueName[],
    attributes: Record<string, Attribute> = {},
    layer = '',
  ): ValueName {
    const [output] = this.nodes(operator, inputs, 1, attributes, layer);
    return output as ValueName;
  }

  /** A node with several outputs. */
  nodes(
    operator: string,
    inputs: readonly ValueName[],
    outputs: number,
    attributes: Record<string, Attribute> = {},
    layer = '',
  ): ValueName[] {
    const path = layer === '' ? operator : `${layer.replaceAll('.', '/')}/${operator}`;
    const name = this.unique(`/${path}`);
    const output = Array.from({ length: outputs }, (_, index) => this.unique(`${name}_output_${index}`));
    const attribute = Object.entries(attributes).map(([key, value]) => attributeProto(key, value));
    this.#nodes.push({ name, op_type: operator, input: inputs, output, attribute });
    return output;
  }

  /** A tensor of weights, under this name or one like it; its numbers are not copied. */
  weight(name: string, shape: readonly number[], data: Float32Array | Int32Array): ValueName {
    return this.#initializer(name, shape, data instanceof Float32Array ? 'float32' : 'int32', () => data);
  }

  /** A tensor of weights whose numbers are made when they are written. */
  weightLater(name: string, shape: readonly number[], make: () => Float32Array): ValueName {
    return this.#initializer(name, shape, 'float32', make);
  }

  #initializer(
    name: string,
    shape: readonly number[],
    type: keyof typeof elementBytes,
    make: () => NodeJS.TypedArray,
  ): ValueName {
    const unique = this.unique(name);
    const data = () => {
      const { buffer, byteOffset, byteLength } = make();
      return new Uint8Array(buffer, byteOffset, byteLength);
    };
    const header = { name: unique, dims: shape, data_type: dataTypes[type] };
    this.#initializers.set(unique, { header, byteLength: elementCount(shape) * elementBytes[type], data });
    return unique;
  }

  /** Integers of one axis, as shapes and axes are given. */
  integers(values: readonly number[]): ValueName {
    return this.#constant([values.length], values, 'int64');
  }

  integer(value: number, type: 'int64' | 'int32' = 'int64'): ValueName {
    return this.#constant([], [value], type);
  }

  float(value: number): ValueName {
    return this.#constant([], [value], 'float32');
  }

  /** A size as a list of one integer. */
  size(size: Size): ValueName {
    if (isConstant(size)) return this.integers([size.offset]);
    return this.#share(`size ${JSON.stringify(size)}`, () => {
      const [first, ...others] = size.names.map((name) => this.#named(name)) as [ValueName, ...ValueName[]];
      let value = others.reduce((product, other) => this.node('Mul', [product, other]), first);
      if (size.factor !== 1) value = this.node('Mul', [value, this.integers([size.factor])]);
      return size.offset === 0 ? value : this.node('Add', [value, this.integers([size.offset])]);
    });
  }

  /** Sizes as a list of integers. */
  sizes(sizes: readonly Size[]): ValueName {
    if (sizes.every(isConstant)) return this.integers(sizes.map(({ offset }) => offset));
    return this.node(
      'Concat',
      sizes.map((size) => this.size(size)),
      { axis: 0 },
    );
  }

  /** What `outputs` depend on, with `outputs` under their new names. */
  finish(outputs: ReadonlyMap<string, ValueName>): {
    nodes: Partially<NodeProto>[];
    initializers: Initializer[];
  } {
    for (const [name, value] of outputs)
      this.#nodes.push({ name: `/${name}`, op_type: 'Identity', input: [value], output: [name], attribute: [] });
    const needed = new Set<string>(outputs.keys());
    const nodes = this.#nodes.toReversed().filter(({ input = [], output = [] }) => {
      const isNeeded = output.some((name) => needed.has(name));
      if (isNeeded) for (const name of input) needed.add(name);
      return isNeeded;
    });
    // An output that nobody reads has no name.
    const named = nodes
      .reverse()
      .map((node) => ({ ...node, output: (node.output ?? []).map((name) => (needed.has(name) ? name : '')) }));
    return {
      nodes: named,
      initializers: Array.from(this.#initializers)
        .filter(([name]) => needed.has(name))
        .map(([, one]) => one),
    };
  }

  #named(name: string): ValueName {
    return this.#share(`named ${name}`, () => {
      const { input, axis } = this.#inputAxes.get(name) as { input: ValueName; axis: number };
      return this.node('Slice', [this.node('Shape', [input]), this.integers([axis]), this.integers([axis + 1])]);
    });
  }

  #constant(shape: readonly number[], values: readonly number[], type: 'int64' | 'int32' | 'float32'): ValueName {
    return this.#share(`${type} ${shape.length} ${values}`, () => {
      const data =
        type === 'int64'
          ? BigInt64Array.from(values, BigInt)
          : type === 'int32'
            ? Int32Array.from(values)
            : Float32Array.from(values);
      return this.#initializer('constant', shape, type, () => data);
    });
  }

  #share(key: string, make: () => ValueName): ValueName {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.#shared.set(key, value);
    return value;
  }
}

function attributeProto(name: string, value: Attribute): Partially<AttributeProto> {
  if (typeof value === 'string') return { name, s: value, type: attributeTypes.s };
  if (typeof value === 'number') {
    return floatAttributes.has(name)
      ? { name, f: value, type: attributeTypes.f }
      : { name, i: value, type: attributeTypes.i };
  }
  return { name, ints: value as readonly number[], type: attributeTypes.ints };
}
