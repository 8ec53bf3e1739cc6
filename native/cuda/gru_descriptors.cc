#include "cuda/gru_descriptors.h"

#include <climits>
#include <cstdint>
#include <string>

namespace cudnn_gru {
namespace {

constexpr int kGates = 3;

int toInt(int64_t value, const char* name, int64_t most = INT_MAX) {
  if (value > most)
    throw Error("ERR_UNSUPPORTED", "cuDNN takes " + std::string(name) + " up to " + std::to_string(most) +
                                       " in one call, not " + std::to_string(value));
  return int(value);
}

cudnnMathType_t mathTypeOf(ops::Precision precision) {
  switch (precision) {
    case ops::Precision::kFloat32:
      return CUDNN_FMA_MATH;
    case ops::Precision::kTf32:
      return CUDNN_DEFAULT_MATH;
    default:
      return CUDNN_TENSOR_OP_MATH;
  }
}

int64_t elementsOf(cudnnTensorDescriptor_t descriptor) {
  cudnnDataType_t type;
  int rank, dims[CUDNN_DIM_MAX], strides[CUDNN_DIM_MAX];
  CUDNN_GRU_CUDA(cudnn().cudnnGetTensorNdDescriptor(descriptor, CUDNN_DIM_MAX, &type, &rank, dims, strides));
  int64_t count = 1;
  for (int axis = 0; axis < rank; ++axis) count *= dims[axis];
  return count;
}

}  // namespace

cudnnDataType_t dataTypeOf(ops::Precision precision) {
  switch (precision) {
    case ops::Precision::kFloat16:
      return CUDNN_DATA_HALF;
    case ops::Precision::kBfloat16:
      return CUDNN_DATA_BFLOAT16;
    default:
      return CUDNN_DATA_FLOAT;
  }
}

size_t elementBytes(ops::Precision precision) { return dataTypeOf(precision) == CUDNN_DATA_FLOAT ? 4 : 2; }

GruConfiguration::GruConfiguration(cudnnHandle_t handle, const GruStack& stack) : stack_(stack) {
  CUDNN_GRU_CUDA(cudnn().cudnnSetDropoutDescriptor(noDropout_, handle, 0, nullptr, 0, 0));
  CUDNN_GRU_CUDA(cudnn().cudnnSetRNNDescriptor_v8(
      rnn_, stack.algorithm, CUDNN_GRU, stack.hasBias ? CUDNN_RNN_DOUBLE_BIAS : CUDNN_RNN_NO_BIAS,
      stack.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT,
      dataTypeOf(stack.precision), CUDNN_DATA_FLOAT, mathTypeOf(stack.precision), toInt(stack.inputSize, "inputSize"),
      toInt(stack.hiddenSize, "hiddenSize"), toInt(stack.hiddenSize, "hiddenSize"), toInt(stack.layers, "numLayers"),
      noDropout_, CUDNN_RNN_PADDED_IO_ENABLED));
  readLayout(handle);
}

// cuDNN names each gate's matrix and bias alone, r, z, n of the input and then of the state. Ours are three in one, so
// they must lie one behind the other.
void GruConfiguration::readLayout(cudnnHandle_t handle) {
  size_t bytes = 0;
  CUDNN_GRU_CUDA(cudnn().cudnnGetRNNWeightSpaceSize(handle, rnn_, &bytes));
  const size_t each = elementBytes(stack_.precision);
  layout_.elements = int64_t(bytes / each);
  // Addresses are only computed, never followed; but cuDNN takes no null pointer.
  char* const base = reinterpret_cast<char*>(uintptr_t(1) << 20);
  TensorDescriptor matrixShape, biasShape;
  for (int64_t layer = 0; layer < stack_.layers * stack_.directions; ++layer) {
    const int64_t inputs = layer < stack_.directions ? stack_.inputSize : stack_.directions * stack_.hiddenSize;
    int64_t matrices[2], biases[2];
    for (int part = 0; part < 2; ++part) {
      const int64_t columns = part == 0 ? inputs : stack_.hiddenSize;
      for (int gate = 0; gate < kGates; ++gate) {
        void *matrix = nullptr, *bias = nullptr;
        CUDNN_GRU_CUDA(cudnn().cudnnGetRNNWeightParams(handle, rnn_, int32_t(layer), bytes, base, part * kGates + gate,
                                                       matrixShape, &matrix, biasShape, &bias));
        const int64_t at = (static_cast<char*>(matrix) - base) / int64_t(each);
        if (gate == 0) matrices[part] = at;
        CUDNN_GRU_CHECK(elementsOf(matrixShape) == stack_.hiddenSize * columns,
                        "cuDNN's weight matrix has another size");
        CUDNN_GRU_CHECK(at == matrices[part] + gate * stack_.hiddenSize * columns, "cuDNN's gates lie apart");
        if (!stack_.hasBias) continue;
        const int64_t biasAt = (static_cast<char*>(bias) - base) / int64_t(each);
        if (gate == 0) biases[part] = biasAt;
        CUDNN_GRU_CHECK(elementsOf(biasShape) == stack_.hiddenSize, "cuDNN's bias has another size");
        CUDNN_GRU_CHECK(biasAt == biases[part] + gate * stack_.hiddenSize, "cuDNN's biases lie apart");
      }
    }
    layout_.offsets.insert(layout_.offsets.end(), matrices, matrices + 2);
    if (stack_.hasBias) layout_.offsets.insert(layout_.offsets.end(), biases, biases + 2);
  }
}

GruCallDescriptors::GruCallDescriptors(const GruStack& stack, GruDataLayout layout, int64_t time, int64_t batch,
                                       const std::vector<int32_t>& lengths) {
  const cudnnRNNDataLayout_t order = layout == GruDataLayout::kPacked      ? CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED
                                     : layout == GruDataLayout::kTimeMajor ? CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED
                                                                           : CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED;
  const cudnnDataType_t type = dataTypeOf(stack.precision);
  const int steps = toInt(time, "time", kMostGruSteps), rows = toInt(batch, "batch");
  uint32_t zero = 0;  // of either size
  CUDNN_GRU_CUDA(
      cudnn().cudnnSetRNNDataDescriptor(x, type, order, steps, rows, int(stack.inputSize), lengths.data(), &zero));
  CUDNN_GRU_CUDA(cudnn().cudnnSetRNNDataDescriptor(
      y, type, order, steps, rows, toInt(stack.directions * stack.hiddenSize, "directions * hiddenSize"),
      lengths.data(), &zero));
  const int64_t cells = stack.layers * stack.directions;
  toInt(cells * batch * stack.hiddenSize, "numLayers * directions * batch * hiddenSize");
  const int dims[3] = {int(cells), rows, int(stack.hiddenSize)};
  const int strides[3] = {int(batch * stack.hiddenSize), int(stack.hiddenSize), 1};
  CUDNN_GRU_CUDA(cudnn().cudnnSetTensorNdDescriptor(h, type, 3, dims, strides));
}

}  // namespace cudnn_gru
