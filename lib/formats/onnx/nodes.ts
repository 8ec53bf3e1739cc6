import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';
import type { Attribute, GraphNode } from './operator.js';
import { type AttributeProto, attributeTypes, type NodeProto, type TensorProto } from './schema.js';

/** A node of an ONNX file; names of operators outside the standard set carry their domain. */
export function graphNode(proto: NodeProto, index: number): GraphNode {
  const domain = proto.domain ?? '';
  const type = proto.op_type ?? '';
  const operator = domain === '' || domain === 'ai.onnx' ? type : `${domain}.${type}`;
  const attributes: Record<string, Attribute> = Object.create(null);
  for (const attribute of proto.attribute) attributes[attribute.name ?? ''] = attributeValue(attribute, operator);
  const name = proto.name || proto.output.find((output) => output !== '') || `node ${index}`;
  return { name, operator, inputs: withoutRest(proto.input), outputs: proto.output, attributes: { ...attributes } };
}

// Optional inputs at the end may be left out or be empty.
function withoutRest(inputs: readonly string[]): string[] {
  const last = inputs.findLastIndex((name) => name !== '');
  return inputs.slice(0, last + 1);
}

function attributeValue(attribute: AttributeProto, operator: string): Attribute {
  const { name, type, f, i, s, floats, ints, strings } = attribute;
  // Old files do not say the type.
  const has = (field: keyof typeof attributeTypes, isThere: boolean) =>
    type === attributeTypes[field] || (!type && isThere);
  if (has('f', f !== undefined)) return finite(f ?? 0, name, operator);
  if (has('i', i !== undefined)) return i ?? 0;
  if (has('s', s !== undefined)) return s ?? '';
  if (has('floats', floats.length > 0)) return floats.map((value) => finite(value, name, operator));
  if (has('ints', ints.length > 0)) return ints;
  if (has('strings', strings.length > 0)) return strings;
  // A subgraph or a tensor; where one is known to belong, the importer takes it out before.
  return '';
}

function finite(value: number, name: string | undefined, operator: string): number {
  if (Number.isFinite(value)) return value;
  throw new CudnnGruError('ERR_UNSUPPORTED', `${operator}: attribute ${quote(name ?? '')} is ${value}`);
}

/** The tensor that is an attribute of a node. */
export function tensorAttribute(proto: NodeProto, name: string): TensorProto | undefined {
  return proto.attribute.find((attribute) => attribute.name === name)?.t;
}
