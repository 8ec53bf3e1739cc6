// A stand-in for what the backend uses of cuDNN: the GRU, computed plainly in double, with a reserve space of its own. The weight space and
// what is refused are those of cuDNN 9.14 on a GPU of 132 multiprocessors, to which test/cuda/cudnn_answers.test.ts compares it; and no
// data may lie elsewhere than at multiples of 16 bytes. A call of STANDARD takes a moment longer, so that a trial finds another
// algorithm; the algorithm whose number CUDNN_GRU_EMULATED_WRONG_ALGORITHM names gives wrong results.
#include <cudnn.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "cudnn_gru_math.h"
#include "stream.h"

using cuda_emulation::GruMath;

// The library's opaque types.
struct cudnnContext {
  cudaStream_t stream = nullptr;
};
struct cudnnTensorStruct {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<int> dims, strides;
};
struct cudnnDropoutStruct {
  bool set = false;
};
struct cudnnRNNStruct {
  bool set = false;
  cudnnRNNAlgo_t algorithm;
  cudnnDataType_t type;
  bool biases;
  int inputSize, hiddenSize, layers, directions;
};
struct cudnnRNNDataStruct {
  bool set = false;
  cudnnDataType_t type;
  cudnnRNNDataLayout_t layout;
  int time, batch, features;
  std::vector<int> lengths;
};

namespace {

constexpr int kMostSteps = 65535;
constexpr int kMostHiddenStatic = 1536, kMostHiddenSmall = 192;
constexpr size_t kWorkspace = 1024;
constexpr uintptr_t kAlignment = 16;
constexpr int kSmallestStandardMicroseconds = 300;

size_t bytesOf(cudnnDataType_t type) { return type == CUDNN_DATA_FLOAT ? 4 : 2; }

template <class Descriptor>
cudnnStatus_t create(Descriptor** descriptor) {
  *descriptor = new Descriptor();
  return CUDNN_STATUS_SUCCESS;
}
template <class Descriptor>
cudnnStatus_t destroy(Descriptor* descriptor) {
  delete descriptor;
  return CUDNN_STATUS_SUCCESS;
}

int cellsOf(const cudnnRNNStruct& rnn) { return rnn.layers * rnn.directions; }

// Elements of a layer and direction in the weight space: the matrices of all come first, of the input and then of the state, and behind them
// the biases likewise. Nothing lies between.
struct CellWeights {
  size_t inputMatrix, stateMatrix, inputBias, stateBias;
};

size_t matrixElements(const cudnnRNNStruct& rnn, int cells) {
  size_t elements = 0;
  for (int cell = 0; cell < cells; ++cell) {
    const int inputs = cell < rnn.directions ? rnn.inputSize : rnn.directions * rnn.hiddenSize;
    elements += 3 * size_t(rnn.hiddenSize) * size_t(inputs + rnn.hiddenSize);
  }
  return elements;
}

CellWeights weightsOf(const cudnnRNNStruct& rnn, int cell) {
  const size_t gates = 3 * size_t(rnn.hiddenSize), bias = matrixElements(rnn, cellsOf(rnn)) + 2 * gates * size_t(cell);
  const size_t first = matrixElements(rnn, cell), next = matrixElements(rnn, cell + 1);
  return {first, next - gates * size_t(rnn.hiddenSize), bias, bias + gates};
}

size_t weightElements(const cudnnRNNStruct& rnn) {
  const size_t biases = rnn.biases ? 6 * size_t(rnn.hiddenSize) * size_t(cellsOf(rnn)) : 0;
  return matrixElements(rnn, cellsOf(rnn)) + biases;
}

bool isPadded(const cudnnRNNDataStruct& data) {
  for (int length : data.lengths)
    if (length != data.time) return true;
  return false;
}

// Known before the data: what the persistent kernels have no room for.
bool hasRoom(const cudnnRNNStruct& rnn) {
  if (rnn.algorithm == CUDNN_RNN_ALGO_STANDARD) return true;
  return rnn.hiddenSize <= (rnn.algorithm == CUDNN_RNN_ALGO_PERSIST_STATIC ? kMostHiddenStatic : kMostHiddenSmall);
}

template <class... Pointers>
bool areAligned(Pointers... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % kAlignment == 0) && ...);
}

// CUDNN_GRU_EMULATED_ALGORITHMS=1 tells which algorithms are asked for.
void traceAlgorithm(cudnnRNNAlgo_t algorithm) {
  static const bool traced = std::getenv("CUDNN_GRU_EMULATED_ALGORITHMS") != nullptr;
  if (traced) std::fprintf(stderr, "emulated cuDNN: algorithm %d\n", int(algorithm));
}

bool isFaulty(const cudnnRNNStruct& rnn) {
  const char* value = std::getenv("CUDNN_GRU_EMULATED_WRONG_ALGORITHM");
  return value && std::to_string(int(rnn.algorithm)) == value;
}

cuda_emulation::GruShape shapeOf(const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x) {
  cuda_emulation::GruShape shape{x.time, x.batch, rnn.inputSize, rnn.hiddenSize, rnn.layers, rnn.directions, rnn.biases,
                                 rnn.type, x.layout == CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED, x.lengths, {}};
  for (int cell = 0; cell < rnn.layers * rnn.directions; ++cell) {
    const CellWeights at = weightsOf(rnn, cell);
    shape.cells.push_back({at.inputMatrix, at.stateMatrix, at.inputBias, at.stateBias});
  }
  return shape;
}

cudnnStatus_t check(const cudnnRNNStruct& rnn, const cudnnRNNDataStruct& x, const cudnnRNNDataStruct& y,
                    const cudnnTensorStruct& h, const int32_t* devLengths, size_t weightBytes, size_t workspaceBytes) {
  if (!rnn.set || !x.set || !y.set || !devLengths) return CUDNN_STATUS_BAD_PARAM;
  if (x.type != rnn.type || y.type != rnn.type || h.type != rnn.type) return CUDNN_STATUS_BAD_PARAM;
  if (x.layout != y.layout || x.lengths != y.lengths || x.time != y.time) return CUDNN_STATUS_BAD_PARAM;
  if (x.features != rnn.inputSize || y.features != rnn.directions * rnn.hiddenSize) return CUDNN_STATUS_BAD_PARAM;
  if (h.dims != std::vector<int>{rnn.layers * rnn.directions, x.batch, rnn.hiddenSize}) return CUDNN_STATUS_BAD_PARAM;
  if (weightBytes != weightElements(rnn) * bytesOf(rnn.type) || workspaceBytes < kWorkspace) return CUDNN_STATUS_BAD_PARAM;
  if (x.layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED && isPadded(x)) return CUDNN_STATUS_EXECUTION_FAILED;  // not emulated
  return !hasRoom(rnn) || (rnn.algorithm != CUDNN_RNN_ALGO_STANDARD && isPadded(x)) ? CUDNN_STATUS_NOT_SUPPORTED
                                                                                     : CUDNN_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

// CUDNN_GRU_EMULATED_CUDNN=91200 is an older one.
size_t cudnnGetVersion() {
  const char* const asked = std::getenv("CUDNN_GRU_EMULATED_CUDNN");
  return asked ? size_t(std::atol(asked)) : 91400;
}
size_t cudnnGetCudartVersion() { return 13000; }
const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_NOT_SUPPORTED      ? "CUDNN_STATUS_NOT_SUPPORTED"
         : status == CUDNN_STATUS_EXECUTION_FAILED ? "CUDNN_STATUS_EXECUTION_FAILED"
                                                   : "CUDNN_STATUS_BAD_PARAM";
}

void cudnnGetLastErrorString(char* message, size_t size) { std::snprintf(message, size, "a condition of the stand-in"); }

// CUDNN_GRU_EMULATED_CREATE=1002: it answers that, as where the libraries do not fit together.
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  const char* const asked = std::getenv("CUDNN_GRU_EMULATED_CREATE");
  return asked ? cudnnStatus_t(std::atoi(asked)) : create(handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return destroy(handle); }
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) { return create(descriptor); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) { return destroy(descriptor); }
cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t descriptor, cudnnDataType_t type, int rank,
                                         const int* dims, const int* strides) {
  double elements = 1;
  for (int axis = 0; axis < rank; ++axis) elements *= dims[axis];
  if (rank < 3 || elements >= 0x1p31) return CUDNN_STATUS_NOT_SUPPORTED;
  *descriptor = {type, {dims, dims + rank}, {strides, strides + rank}};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetTensorNdDescriptor(const cudnnTensorDescriptor_t descriptor, int asked, cudnnDataType_t* type, int* rank,
                                         int* dims, int* strides) {
  *type = descriptor->type;
  *rank = int(descriptor->dims.size());
  for (int axis = 0; axis < *rank && axis < asked; ++axis) {
    dims[axis] = descriptor->dims[axis];
    strides[axis] = descriptor->strides[axis];
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t* descriptor) { return create(descriptor); }
cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t descriptor) { return destroy(descriptor); }
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t descriptor, cudnnHandle_t handle, float dropout, void* states,
                                        size_t, unsigned long long) {
  if (!handle || (dropout != 0 && !states)) return CUDNN_STATUS_BAD_PARAM;
  descriptor->set = true;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* descriptor) { return create(descriptor); }
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t descriptor) { return destroy(descriptor); }
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t rnn, cudnnRNNAlgo_t algorithm, cudnnRNNMode_t mode,
                                       cudnnRNNBiasMode_t biases, cudnnDirectionMode_t direction, cudnnRNNInputMode_t input,
                                       cudnnDataType_t type, cudnnDataType_t precision, cudnnMathType_t math,
                                       int32_t inputSize, int32_t hiddenSize, int32_t projected, int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, uint32_t flags) {
  const bool singles = type == CUDNN_DATA_FLOAT;
  if (mode != CUDNN_GRU || input != CUDNN_LINEAR_INPUT || projected != hiddenSize || !dropout || !dropout->set ||
      (biases != CUDNN_RNN_DOUBLE_BIAS && biases != CUDNN_RNN_NO_BIAS) || precision != CUDNN_DATA_FLOAT ||
      flags != CUDNN_RNN_PADDED_IO_ENABLED || inputSize < 1 || hiddenSize < 1 || layers < 1 ||
      (singles ? math == CUDNN_TENSOR_OP_MATH : math != CUDNN_TENSOR_OP_MATH))
    return CUDNN_STATUS_BAD_PARAM;
  traceAlgorithm(algorithm);
  if (biases == CUDNN_RNN_NO_BIAS && algorithm != CUDNN_RNN_ALGO_STANDARD) return CUDNN_STATUS_NOT_SUPPORTED;
  *rnn = {true, algorithm, type, biases == CUDNN_RNN_DOUBLE_BIAS, inputSize, hiddenSize, layers,
          direction == CUDNN_BIDIRECTIONAL ? 2 : 1};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* descriptor) { return create(descriptor); }
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t descriptor) { return destroy(descriptor); }
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t data, cudnnDataType_t type, cudnnRNNDataLayout_t layout,
                                        int time, int batch, int features, const int* lengths, void* padding) {
  if (time < 1 || batch < 1 || features < 1 || !lengths || !padding) return CUDNN_STATUS_BAD_PARAM;
  if (time > kMostSteps) return CUDNN_STATUS_NOT_SUPPORTED;
  const bool packed = layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED;
  for (int row = 0; row < batch; ++row) {
    if (lengths[row] < (packed ? 1 : 0) || lengths[row] > time) return CUDNN_STATUS_BAD_PARAM;
    if (packed && lengths[row] > (row == 0 ? time : lengths[row - 1])) return CUDNN_STATUS_BAD_PARAM;
  }
  if (packed && lengths[0] != time) return CUDNN_STATUS_BAD_PARAM;
  *data = {true, type, layout, time, batch, features, {lengths, lengths + batch}};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, size_t* bytes) {
  if (!handle || !rnn->set) return CUDNN_STATUS_BAD_PARAM;
  *bytes = weightElements(*rnn) * bytesOf(rnn->type);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, int32_t cell, size_t bytes,
                                      const void* space, int32_t part, cudnnTensorDescriptor_t matrixShape, void** matrix,
                                      cudnnTensorDescriptor_t biasShape, void** bias) {
  if (!handle || !space || bytes != weightElements(*rnn) * bytesOf(rnn->type) || part < 0 || part > 5 || cell < 0 ||
      cell >= rnn->layers * rnn->directions)
    return CUDNN_STATUS_BAD_PARAM;
  const CellWeights at = weightsOf(*rnn, cell);
  const int h = rnn->hiddenSize, inputs = cell < rnn->directions ? rnn->inputSize : rnn->directions * h;
  const int columns = part < 3 ? inputs : h;
  const auto address = [&](size_t element) {
    return const_cast<char*>(static_cast<const char*>(space)) + element * bytesOf(rnn->type);
  };
  *matrix = address((part < 3 ? at.inputMatrix : at.stateMatrix) + size_t(part % 3) * size_t(h) * size_t(columns));
  *matrixShape = {rnn->type, {1, h, columns}, {h * columns, columns, 1}};
  *bias = rnn->biases ? address((part < 3 ? at.inputBias : at.stateBias) + size_t(part % 3) * size_t(h)) : nullptr;
  *biasShape = {rnn->type, {1, h, 1}, {h, 1, 1}};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnForwardMode_t mode,
                                        cudnnRNNDataDescriptor_t x, size_t* workspace, size_t* reserve) {
  if (!handle || !rnn->set || !x->set) return CUDNN_STATUS_BAD_PARAM;
  *workspace = kWorkspace;
  *reserve = mode == CUDNN_FWD_MODE_TRAINING ? GruMath(shapeOf(*rnn, *x)).reserveBytes() : 0;
  return hasRoom(*rnn) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

cudnnStatus_t cudnnRNNForward(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnForwardMode_t mode,
                              const int32_t* devLengths, cudnnRNNDataDescriptor_t x, const void* xData,
                              cudnnRNNDataDescriptor_t y, void* yData, cudnnTensorDescriptor_t h, const void* hx, void* hy,
                              cudnnTensorDescriptor_t, const void*, void*, size_t weightBytes, const void* weights,
                              size_t workspaceBytes, void* workspace, size_t reserveBytes, void* reserve) {
  const cudnnStatus_t status = check(*rnn, *x, *y, *h, devLengths, weightBytes, workspaceBytes);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  if (!areAligned(xData, yData, hx, hy, weights, workspace, reserve)) return CUDNN_STATUS_EXECUTION_FAILED;
  const GruMath math(shapeOf(*rnn, *x));
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  if (training && (!reserve || reserveBytes != math.reserveBytes())) return CUDNN_STATUS_BAD_PARAM;
  const bool slow = rnn->algorithm == CUDNN_RNN_ALGO_STANDARD, faulty = isFaulty(*rnn);
  cuda_emulation::addToStream(handle->stream, [=] {
    if (slow) std::this_thread::sleep_for(std::chrono::microseconds(kSmallestStandardMicroseconds));
    math.forward(devLengths, xData, yData, hx, hy, weights, training ? reserve : nullptr, faulty);
  });
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnRNNBackwardData_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, const int32_t* devLengths,
                                      cudnnRNNDataDescriptor_t y, const void* yData, const void* dy,
                                      cudnnRNNDataDescriptor_t x, void* dx, cudnnTensorDescriptor_t h, const void* hx,
                                      const void* dhy, void* dhx, cudnnTensorDescriptor_t, const void*, const void*, void*,
                                      size_t weightBytes, const void* weights, size_t workspaceBytes, void* workspace,
                                      size_t reserveBytes, void* reserve) {
  const cudnnStatus_t status = check(*rnn, *x, *y, *h, devLengths, weightBytes, workspaceBytes);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  if (!areAligned(yData, dy, dx, hx, dhy, dhx, weights, workspace, reserve)) return CUDNN_STATUS_EXECUTION_FAILED;
  const GruMath math(shapeOf(*rnn, *x));
  if (!yData || !dy || !dx || !reserve || reserveBytes != math.reserveBytes()) return CUDNN_STATUS_BAD_PARAM;
  cuda_emulation::addToStream(handle->stream,
                              [=] { math.backwardData(devLengths, dy, dx, dhy, dhx, weights, reserve); });
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnRNNBackwardWeights_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t rnn, cudnnWgradMode_t mode,
                                         const int32_t* devLengths, cudnnRNNDataDescriptor_t x, const void* xData,
                                         cudnnTensorDescriptor_t h, const void* hx, cudnnRNNDataDescriptor_t y,
                                         const void* yData, size_t weightBytes, void* dweights, size_t workspaceBytes, void* workspace,
                                         size_t reserveBytes, void* reserve) {
  const cudnnStatus_t status = check(*rnn, *x, *y, *h, devLengths, weightBytes, workspaceBytes);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  if (!areAligned(xData, hx, yData, dweights, workspace, reserve)) return CUDNN_STATUS_EXECUTION_FAILED;
  const GruMath math(shapeOf(*rnn, *x));
  if (mode != CUDNN_WGRAD_MODE_ADD || !yData || !reserve || reserveBytes != math.reserveBytes()) return CUDNN_STATUS_BAD_PARAM;
  cuda_emulation::addToStream(handle->stream, [=] { math.backwardWeights(xData, dweights, reserve); });
  return CUDNN_STATUS_SUCCESS;
}

}  // extern "C"
