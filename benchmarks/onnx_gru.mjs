// An ONNX model that is one GRU layer, written with the parts of onnx.proto (ONNX 1.x) that it needs.
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
  message Attribute { string name = 1; int64 i = 3; int32 type = 20; }
  message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message ValueInfo { string name = 1; Type type = 2; }
  message Type { TensorType tensor_type = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { int64 dim_value = 1; }
`);

const float = 1;
const integer = 2; // AttributeProto.INT

function random(count, scale) {
  const values = Float32Array.from({ length: count }, () => (Math.random() - 0.5) * scale);
  return new Uint8Array(values.buffer);
}

function value(name, dims) {
  const dim = dims.map((dim_value) => ({ dim_value }));
  return { name, type: { tensor_type: { elem_type: float, shape: { dim } } } };
}

/** Input X [time, batch, inputSize]; output Y [time, 1, batch, hiddenSize]. */
export function onnxGru({ time, batch, inputSize, hiddenSize }) {
  const tensor = (name, dims) => ({
    name,
    dims,
    data_type: float,
    raw_data: random(
      dims.reduce((a, b) => a * b),
      0.2,
    ),
  });
  const attribute = (name, i) => ({ name, i, type: integer });
  const Model = root.lookupType('Model');
  const model = {
    ir_version: 8,
    opset_import: [{ domain: '', version: 14 }],
    graph: {
      name: 'gru',
      node: [
        {
          op_type: 'GRU',
          input: ['X', 'W', 'R', 'B'],
          output: ['Y'],
          attribute: [attribute('hidden_size', hiddenSize), attribute('linear_before_reset', 1)],
        },
      ],
      initializer: [
        tensor('W', [1, 3 * hiddenSize, inputSize]),
        tensor('R', [1, 3 * hiddenSize, hiddenSize]),
        tensor('B', [1, 6 * hiddenSize]),
      ],
      input: [value('X', [time, batch, inputSize])],
      output: [value('Y', [time, 1, batch, hiddenSize])],
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
