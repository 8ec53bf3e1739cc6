// What a cuDNN says of calls before it computes anything: a line for each question, with the status, or where our parameters lie. Of the
// library that the argument names, or without one of the emulated GPU's stand-in, so that the two can be compared. The real one needs
// a GPU to make a handle: where there is none it is given a block of zeros instead. What version 9.14.0 reads of it in these calls is the
// number of multiprocessors and the compute capability, at the offsets below; a driver or another version is asked nothing.
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/gru_descriptors.h"

namespace cudnn_gru {
namespace {

constexpr size_t kVersion = 91400, kHandleBytes = 1 << 20, kMultiprocessors = 28, kCapability = 104;

cudaStream_t stream = nullptr;  // of the stand-in

Libraries& table() {
  static Libraries libraries;
  return libraries;
}

void fill(CudnnLibrary& cudnn, const char* path) {
  void* const library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (path && !library) throw std::runtime_error(dlerror());
#define CUDNN_GRU_ANSWER(name) \
  cudnn.name = path ? reinterpret_cast<decltype(&::name)>(dlsym(library, #name)) : &::name;
  CUDNN_GRU_CUDNN_FUNCTIONS(CUDNN_GRU_ANSWER)
#undef CUDNN_GRU_ANSWER
}

cudnnHandle_t makeHandle(bool real) {
  cudnnHandle_t handle = nullptr;
  if (!real) {
    cudnn().cudnnCreate(&handle);
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudnn().cudnnSetStream(handle, stream);
    return handle;
  }
  static std::vector<char> block(kHandleBytes);
  const int multiprocessors = 132, capability = 900;
  std::memcpy(block.data() + kMultiprocessors, &multiprocessors, sizeof(int));
  std::memcpy(block.data() + kCapability, &capability, sizeof(int));
  return reinterpret_cast<cudnnHandle_t>(block.data());
}

// Accepted is what fails only where there is no GPU.
const char* wordFor(cudnnStatus_t status) {
  if (status / 1000 == CUDNN_STATUS_NOT_SUPPORTED / 1000) return "not supported";
  return status / 1000 == CUDNN_STATUS_BAD_PARAM / 1000 ? "bad parameter" : "accepted";
}

std::string listOf(const std::vector<int32_t>& numbers) {
  std::string text;
  for (int number : numbers) text += " " + std::to_string(number);
  return text;
}

constexpr cudnnRNNAlgo_t kAlgorithms[] = {CUDNN_RNN_ALGO_STANDARD, CUDNN_RNN_ALGO_PERSIST_STATIC,
                                          CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H};
constexpr ops::Precision kAllPrecisions[] = {ops::Precision::kFloat32, ops::Precision::kTf32, ops::Precision::kFloat16,
                                             ops::Precision::kBfloat16};

std::string nameOf(const GruStack& stack) {
  return "algorithm " + std::to_string(stack.algorithm) + ", precision " + std::to_string(int(stack.precision)) + ", " +
         std::to_string(stack.layers) + " layers, " + std::to_string(stack.directions) + " directions, " +
         std::to_string(stack.inputSize) + " to " + std::to_string(stack.hiddenSize) +
         (stack.hasBias ? "" : " without bias");
}

void askLayouts(cudnnHandle_t handle) {
  for (cudnnRNNAlgo_t algorithm : kAlgorithms)
    for (ops::Precision precision : kAllPrecisions)
      for (int64_t layers : {1, 3})
        for (int64_t directions : {1, 2})
          for (bool hasBias : {true, false}) {
            const GruStack stack{5, 7, layers, directions, hasBias, precision, algorithm};
            std::printf("layout, %s:", nameOf(stack).c_str());
            try {
              const GruLayout layout = GruConfiguration(handle, stack).layout();
              for (int64_t offset : layout.offsets) std::printf(" %lld", static_cast<long long>(offset));
              std::printf(" of %lld\n", static_cast<long long>(layout.elements));
            } catch (const Error& error) {
              std::printf(" %s\n", error.code());
            }
          }
}

void askDescriptors() {
  const RnnDataDescriptor data;
  const TensorDescriptor tensor;
  uint32_t zero = 0;
  const std::vector<std::pair<int, std::vector<int32_t>>> sequences{
      {65535, {65535, 65535, 65535}}, {65536, {65536, 65536, 65536}}, {65536, {5, 4, 3}}, {8, {5, 4, 3}}, {5, {5, 4, 3}},
      {5, {3, 5, 4}}, {5, {5, 3, 0}}, {5, {5, 0, 3}}, {5, {6, 4, 3}}, {5, {5, 4, -1}}};
  for (int layout = 0; layout < 3; ++layout)
    for (const auto& [time, lengths] : sequences)
      std::printf("data, layout %d, time %d, lengths%s: %s\n", layout, time, listOf(lengths).c_str(),
                  wordFor(cudnn().cudnnSetRNNDataDescriptor(data, CUDNN_DATA_FLOAT, cudnnRNNDataLayout_t(layout), time, 3,
                                                            8, lengths.data(), &zero)));
  for (const std::vector<int32_t>& dims : std::vector<std::vector<int32_t>>{
           {1, 1, 2147483647}, {1, 2, 1 << 30}, {2, 1, 1 << 30}, {8, 1 << 20, 255}, {8, 1 << 20, 256}}) {
    const int strides[3] = {int(int64_t(dims[1]) * dims[2] > 2147483647 ? 2147483647 : dims[1] * dims[2]), dims[2], 1};
    std::printf("tensor%s: %s\n", listOf(dims).c_str(),
                wordFor(cudnn().cudnnSetTensorNdDescriptor(tensor, CUDNN_DATA_FLOAT, 3, dims.data(), strides)));
  }
}

// Sizes of the temporary spaces, and the three passes on numbers that nobody looks at.
void askPasses(cudnnHandle_t handle, const GruStack& stack, GruDataLayout layout, const std::vector<int32_t>& lengths) {
  constexpr int kTime = 4;
  const int64_t batch = int64_t(lengths.size());
  const GruConfiguration configuration(handle, stack);
  const GruCallDescriptors descriptors(stack, layout, kTime, batch, lengths);
  const auto& dnn = cudnn();
  size_t workspace = 0, reserve = 0;
  const cudnnStatus_t sizes =
      dnn.cudnnGetRNNTempSpaceSizes(handle, configuration.rnn(), CUDNN_FWD_MODE_TRAINING, descriptors.x, &workspace, &reserve);
  std::printf("passes, %s, layout %d, lengths%s: %s", nameOf(stack).c_str(), int(layout), listOf(lengths).c_str(),
              wordFor(sizes));
  if (std::string(wordFor(sizes)) != "accepted") {
    std::printf("\n");
    return;
  }
  const auto memory = [](size_t bytes) { return std::vector<double>(bytes / sizeof(double) + 2); };
  const size_t weightBytes = configuration.weightBytes();
  std::vector<double> x = memory(4 * size_t(kTime * batch * stack.inputSize)), xGrad = x, h = memory(4 * size_t(batch * stack.hiddenSize));
  std::vector<double> y = memory(4 * size_t(kTime * batch * stack.hiddenSize)), yGrad = y, hGrad = h, weights = memory(weightBytes);
  std::vector<double> weightGrads = weights, work = memory(workspace), kept = memory(reserve);
  std::vector<int32_t> deviceLengths = lengths;
  const int32_t* const at = deviceLengths.data();
  std::printf(", %s", wordFor(dnn.cudnnRNNForward(
                          handle, configuration.rnn(), CUDNN_FWD_MODE_TRAINING, at, descriptors.x, x.data(), descriptors.y,
                          y.data(), descriptors.h, nullptr, h.data(), descriptors.h, nullptr, nullptr, weightBytes,
                          weights.data(), workspace, work.data(), reserve, kept.data())));
  std::printf(", %s", wordFor(dnn.cudnnRNNBackwardData_v8(
                          handle, configuration.rnn(), at, descriptors.y, y.data(), yGrad.data(), descriptors.x,
                          xGrad.data(), descriptors.h, nullptr, nullptr, hGrad.data(), descriptors.h, nullptr, nullptr,
                          nullptr, weightBytes, weights.data(), workspace, work.data(), reserve, kept.data())));
  std::printf(", %s\n", wordFor(dnn.cudnnRNNBackwardWeights_v8(
                            handle, configuration.rnn(), CUDNN_WGRAD_MODE_ADD, at, descriptors.x, x.data(), descriptors.h,
                            nullptr, descriptors.y, y.data(), weightBytes, weightGrads.data(), workspace, work.data(),
                            reserve, kept.data())));
  if (stream) cudaStreamSynchronize(stream);
}

}  // namespace

const Libraries& libraries() { return table(); }

}  // namespace cudnn_gru

int main(int count, char** arguments) {
  using namespace cudnn_gru;
  const char* const path = count > 1 ? arguments[1] : nullptr;
  fill(table().cudnn, path);
  const size_t version = cudnn().cudnnGetVersion();
  std::printf("version %zu\n", version);
  if (path && dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
    std::printf("a driver\n");
    return 0;
  }
  if (version != kVersion) return 0;
  const cudnnHandle_t handle = makeHandle(path != nullptr);
  askLayouts(handle);
  askDescriptors();
  const std::vector<int32_t> full{4, 4, 4}, several{4, 2, 1}, empty{4, 0, 2}, shorter{3, 3, 3};
  for (cudnnRNNAlgo_t algorithm : kAlgorithms) {
    for (ops::Precision precision : kAllPrecisions)
      for (int64_t hiddenSize : {8, 192, 193})
        askPasses(handle, {8, hiddenSize, 1, 1, true, precision, algorithm}, GruDataLayout::kPacked, full);
    for (GruDataLayout layout : {GruDataLayout::kTimeMajor, GruDataLayout::kBatchMajor})
      for (const std::vector<int32_t>& lengths : {full, several, empty, shorter})
        askPasses(handle, {8, 8, 1, 1, true, ops::Precision::kFloat32, algorithm}, layout, lengths);
  }
  for (int64_t hiddenSize : {1536, 1537})
    askPasses(handle, {8, hiddenSize, 1, 1, true, ops::Precision::kFloat32, CUDNN_RNN_ALGO_PERSIST_STATIC},
              GruDataLayout::kPacked, full);
  return 0;
}
