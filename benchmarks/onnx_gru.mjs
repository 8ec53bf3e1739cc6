// An ONNX model that is a stack of GRU layers, written with the parts of onnx.proto (ONNX 1.x) that it needs.
import protobuf from 'protobufjs';

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Model { int64 ir_version = 1; Graph graph = 7; repeated OperatorSet opset_import = 8; }
  message OperatorSet { string domain = 1; int64 version = 2; }
  message Graph {
    repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
    repeated ValueInfo input = 11; repeated ValueInfo output = 12;
  }
  message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5; }
  message Attribute { string name = 1; int64 i = 3; bytes s = 4; repeated int64 ints = 8; int32 type = 20; }
  message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message ValueInfo { string name = 1; Type type = 2; }
  message Type { TensorType tensor_type = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { int64 dim_value = 1; }
`);

const float = 1;
const int64 = 7;
// AttributeProto.AttributeType
const integerAttribute = 2;
const textAttribute = 3;
const integersAttribute = 7;

function random(count, scale) {
  const values = Float32Array.from({ length: count }, () => (Math.random() - 0.5) * scale);
  return new Uint8Array(values.buffer);
}

function value(name, dims) {
  const dim = dims.map((dim_value) => ({ dim_value }));
  return { name, type: { tensor_type: { elem_type: float, shape: { dim } } } };
}

/** A stack of GRU nodes: input X [time, batch, inputSize], output Y [time, directions, batch, hiddenSize]. */
export function onnxGru({ time, batch, inputSize, hiddenSize, layers, directions }) {
  const node = [];
  const initializer = [];
  const add = (op_type, input, output, attribute = []) => node.push({ op_type, input, output: [output], attribute });
  const weights = (name, dims) => {
    initializer.push({
      name,
      dims,
      data_type: float,
      raw_data: random(
        dims.reduce((a, b) => a * b),
        0.2,
      ),
    });
    return name;
  };
  let x = 'X';
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? inputSize : directions * hiddenSize;
    const inputs = [
      weights(`W${layer}`, [directions, 3 * hiddenSize, width]),
      weights(`R${layer}`, [directions, 3 * hiddenSize, hiddenSize]),
      weights(`B${layer}`, [directions, 6 * hiddenSize]),
    ];
    const y = layer === layers - 1 ? 'Y' : `Y${layer}`;
    add('GRU', [x, ...inputs], y, [
      { name: 'hidden_size', i: hiddenSize, type: integerAttribute },
      { name: 'linear_before_reset', i: 1, type: integerAttribute },
      {
        name: 'direction',
        s: new TextEncoder().encode(directions === 2 ? 'bidirectional' : 'forward'),
        type: textAttribute,
      },
    ]);
    if (y === 'Y') break;
    // [time, directions, batch, hiddenSize] → [time, batch, directions × hiddenSize]
    add('Transpose', [y], `P${layer}`, [{ name: 'perm', ints: [0, 2, 1, 3], type: integersAttribute }]);
    const size = new BigInt64Array([BigInt(time), BigInt(batch), BigInt(directions * hiddenSize)]);
    initializer.push({ name: `S${layer}`, dims: [3], data_type: int64, raw_data: new Uint8Array(size.buffer) });
    add('Reshape', [`P${layer}`, `S${layer}`], `X${layer + 1}`);
    x = `X${layer + 1}`;
  }
  const Model = root.lookupType('Model');
  const model = {
    ir_version: 8,
    opset_import: [{ domain: '', version: 14 }],
    graph: {
      name: 'gru',
      node,
      initializer,
      input: [value('X', [time, batch, inputSize])],
      output: [value('Y', [time, directions, batch, hiddenSize])],
    },
  };
  return Model.encode(Model.fromObject(toCamelCase(model))).finish();
}

// protobufjs names fields in camelCase.
function toCamelCase(item) {
  if (Array.isArray(item)) return item.map(toCamelCase);
  if (item === null || typeof item !== 'object' || item instanceof Uint8Array) return item;
  return Object.fromEntries(
    Object.entries(item).map(([key, inner]) => [
      key.replace(/_(.)/g, (_, letter) => letter.toUpperCase()),
      toCamelCase(inner),
    ]),
  );
}
