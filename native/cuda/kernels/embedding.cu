#include "cuda/kernels/embedding.h"
#include "cuda/kernels/index_check.cuh"
#include "cuda/kernels/launch.cuh"

namespace cudnn_gru::kernels {
namespace {

constexpr int kWarps = kThreads / kWarp;

// What a block of the backward kernel has found so far: places in `ids`, ascending, whose word is one of its own.
constexpr int kFound = 1024;
struct Found {
  int32_t word[kFound];
  int64_t place[kFound];
  int32_t ofWord[kWarps][kFound];  // by each warp for one word: numbers of the entries above
  int32_t before[kWarps + 1];      // of a round of the search: matches before each warp's, and all
};

// Kernels

__global__ void copyEmbeddings(const int32_t* ids, const float* weight, float* y, int64_t count, int64_t vocabularySize,
                               int64_t size, IndexFault* fault) {
  for (int64_t i = gridThread(); i < count * size; i += gridThreads()) {
    const int64_t row = i / size;
    const int32_t id = ids[row];
    const bool known = checkIndex(id, vocabularySize, row, IndexFault::kEmbeddingId, fault);
    y[i] = known ? weight[id * size + i - row * size] : NAN;
  }
}

__global__ void checkIds(const int32_t* ids, int64_t count, int64_t vocabularySize, IndexFault* fault) {
  for (int64_t i = gridThread(); i < count; i += gridThreads())
    checkIndex(ids[i], vocabularySize, i, IndexFault::kEmbeddingId, fault);
}

// The place in a warp's matches of this thread's: how many lower lanes have one too.
__device__ int lowerMatches(uint32_t votes) { return __popc(votes & ((1u << (threadIdx.x % kWarp)) - 1)); }

// A round of the search: each thread looks at one id; those that match are appended in order. Returns how many there
// are now.
__device__ int search(const int32_t* ids, int64_t first, int64_t count, int64_t firstWord, int64_t lastWord,
                      int64_t padding, Found& found, int known) {
  const int warp = threadIdx.x / kWarp;
  const int64_t i = first + threadIdx.x;
  const int32_t word = i < count ? ids[i] : -1;
  const bool match = word >= firstWord && word < lastWord && word != padding;
  const uint32_t votes = __ballot_sync(0xffffffffu, match);
  if (threadIdx.x % kWarp == 0) found.before[warp + 1] = __popc(votes);
  __syncthreads();
  if (threadIdx.x == 0) {
    found.before[0] = known;
    for (int w = 0; w < kWarps; ++w) found.before[w + 1] += found.before[w];
  }
  __syncthreads();
  if (match) {
    const int at = found.before[warp] + lowerMatches(votes);
    found.word[at] = word;
    found.place[at] = i;
  }
  const int all = found.before[kWarps];
  __syncthreads();
  return all;
}

// Adds the rows of yGrad that were found to their words' rows, which stand in memory between calls. A warp for each
// word; each of its threads a column.
__device__ void addFound(const float* yGrad, float* weightGrad, int64_t firstWord, int64_t lastWord, int64_t size,
                         Found& found, int known) {
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  for (int64_t word = firstWord + warp; word < lastWord; word += kWarps) {
    int32_t* entries = found.ofWord[warp];
    int matches = 0;
    for (int first = 0; first < known; first += kWarp) {
      const bool match = first + lane < known && found.word[first + lane] == word;
      const uint32_t votes = __ballot_sync(0xffffffffu, match);
      if (match) entries[matches + lowerMatches(votes)] = first + lane;
      matches += __popc(votes);
    }
    __syncwarp();
    if (matches > 0)
      for (int64_t column = lane; column < size; column += kWarp) {
        float sum = weightGrad[word * size + column];
        for (int k = 0; k < matches; ++k) sum += yGrad[found.place[entries[k]] * size + column];
        weightGrad[word * size + column] = sum;
      }
    __syncwarp();  // until all have read the entries
  }
}

// Each block owns `range` words, goes through every id in order and keeps those that are its own.
__global__ void sumEmbeddings(const int32_t* ids, const float* yGrad, float* weightGrad, int64_t count,
                              int64_t vocabularySize, int64_t size, int64_t padding, int64_t range) {
  Found& found = *sharedMemory<Found>();
  for (int64_t block = blockIdx.x; block * range < vocabularySize; block += gridDim.x) {
    const int64_t firstWord = block * range;
    const int64_t lastWord = firstWord + range < vocabularySize ? firstWord + range : vocabularySize;
    int known = 0;
    for (int64_t first = 0; first < count; first += kThreads) {
      known = search(ids, first, count, firstWord, lastWord, padding, found, known);
      if (known <= kFound - kThreads && first + kThreads < count) continue;
      addFound(yGrad, weightGrad, firstWord, lastWord, size, found, known);
      known = 0;  // the next search waits for all before it writes
    }
  }
}

}  // namespace

// Launchers

cudaError_t embedding(const int32_t* ids, const float* weight, float* y, int64_t count, int64_t vocabularySize,
                      int64_t size, IndexFault* fault, cudaStream_t stream) {
  return launch(copyEmbeddings, blocksFor(count * size), kThreads, 0, stream, ids, weight, y, count, vocabularySize,
                size, fault);
}

cudaError_t embeddingBackward(const int32_t* ids, const float* yGrad, float* weightGrad, int64_t count,
                              int64_t vocabularySize, int64_t size, int64_t padding, IndexFault* fault,
                              cudaStream_t stream) {
  cudaError_t status = cudaMemsetAsync(weightGrad, 0, size_t(vocabularySize * size) * sizeof(float), stream);
  if (status != cudaSuccess) return status;
  status = launch(checkIds, blocksFor(count), kThreads, 0, stream, ids, count, vocabularySize, fault);
  if (status != cudaSuccess || count == 0) return status;
  // Every block reads all ids, so a large vocabulary gets fewer blocks than it could have.
  int64_t range = kWarps;
  while (range < 128 && vocabularySize / range > 1024) range *= 2;
  const int64_t blocks = (vocabularySize + range - 1) / range;
  return launch(sumEmbeddings, unsigned(blocks < kMostBlocks ? blocks : kMostBlocks), kThreads, sizeof(Found), stream,
                ids, yGrad, weightGrad, count, vocabularySize, size, padding, range);
}

}  // namespace cudnn_gru::kernels
