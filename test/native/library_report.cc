// Prints what native/cuda/libraries finds, as JSON. With `descriptors`, also what cuDNN answers to calls that need no GPU.
#include <cstdio>
#include <cstring>
#include <string>

#include "cuda/libraries/libraries.h"

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

int descriptorStatuses() {
  const auto& dnn = cudnn_gru::cudnn();
  cudnnDropoutDescriptor_t dropout;
  cudnnRNNDescriptor_t rnn;
  cudnnRNNDataDescriptor_t data;
  cudnnTensorDescriptor_t state;
  int worst = 0;
  const auto see = [&](cudnnStatus_t status) { worst = worst > int(status) ? worst : int(status); };
  see(dnn.cudnnCreateDropoutDescriptor(&dropout));
  see(dnn.cudnnCreateRNNDescriptor(&rnn));
  see(dnn.cudnnCreateRNNDataDescriptor(&data));
  see(dnn.cudnnCreateTensorDescriptor(&state));
  const int lengths[3] = {1, 4, 2}, full[3] = {4, 4, 4}, dims[3] = {4, 3, 7}, strides[3] = {21, 7, 1};
  float zero = 0;
  for (cudnnDataType_t type : {CUDNN_DATA_FLOAT, CUDNN_DATA_HALF, CUDNN_DATA_BFLOAT16}) {
    // Float32, TF32, and in 16 bits what we use and what PyTorch does.
    const cudnnMathType_t own = type == CUDNN_DATA_FLOAT ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH;
    for (cudnnMathType_t math : {own, CUDNN_DEFAULT_MATH})
      for (cudnnRNNAlgo_t algorithm : {CUDNN_RNN_ALGO_STANDARD, CUDNN_RNN_ALGO_PERSIST_STATIC, CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H})
        see(dnn.cudnnSetRNNDescriptor_v8(rnn, algorithm, CUDNN_GRU, CUDNN_RNN_DOUBLE_BIAS, CUDNN_BIDIRECTIONAL,
                                         CUDNN_LINEAR_INPUT, type, CUDNN_DATA_FLOAT, math, 5, 7, 7, 2, dropout,
                                         CUDNN_RNN_PADDED_IO_ENABLED));
    see(dnn.cudnnSetRNNDataDescriptor(data, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, 4, 3, 5, full, &zero));
    see(dnn.cudnnSetRNNDataDescriptor(data, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED, 4, 3, 5, lengths, &zero));
    see(dnn.cudnnSetRNNDataDescriptor(data, type, CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED, 4, 3, 5, lengths, &zero));
    see(dnn.cudnnSetTensorNdDescriptor(state, type, 3, dims, strides));
  }
  see(dnn.cudnnDestroyTensorDescriptor(state));
  see(dnn.cudnnDestroyRNNDataDescriptor(data));
  see(dnn.cudnnDestroyRNNDescriptor(rnn));
  see(dnn.cudnnDestroyDropoutDescriptor(dropout));
  return worst;
}

}  // namespace

int main(int count, char** arguments) {
  const cudnn_gru::Libraries& found = cudnn_gru::libraries();
  std::string details;
  for (const std::string& line : found.details) details += (details.empty() ? "" : ",") + quoted(line);
  const bool asked = count > 1 && std::strcmp(arguments[1], "descriptors") == 0 && found.cudnn.cudnnGetVersion;
  std::printf("{\"reason\":%s,\"description\":%s,\"workspace\":%s,\"descriptors\":%d,\"details\":[%s]}\n",
              quoted(found.reason).c_str(), quoted(found.description).c_str(),
              quoted(getenv("CUBLAS_WORKSPACE_CONFIG") ? getenv("CUBLAS_WORKSPACE_CONFIG") : "").c_str(),
              asked ? descriptorStatuses() : -1, details.c_str());
  return 0;
}
