#pragma once

#include <cudnn.h>

#include <cstddef>
#include <vector>

namespace cuda_emulation {

// A stack of reset-after GRU layers, as the stand-in for cuDNN sees it.
struct GruShape {
  struct Cell {
    size_t inputMatrix, stateMatrix, inputBias, stateBias;  // elements in the weight space, gates r, z, n
  };

  int time, batch, inputSize, hiddenSize, layers, directions;
  bool biases;
  cudnnDataType_t type;
  bool batchMajor;
  std::vector<int> lengths;
  std::vector<Cell> cells;  // layer by layer, direction by direction
};

// Its passes, in double and step by step, over memory of the host. The reserve space holds each layer's input, and of each cell the gates and
// the state before each step, then the gradients of the gates' sums.
class GruMath {
 public:
  explicit GruMath(const GruShape& shape) : shape_(shape) {}

  size_t reserveBytes() const;
  // `faulty`: the state before the update gate is a little wrong.
  void forward(const int* lengths, const void* x, void* y, const void* hx, void* hy, const void* weights, void* reserve,
               bool faulty) const;
  void backwardData(const int* lengths, const void* dy, void* dx, const void* dhy, void* dhx, const void* weights,
                    void* reserve) const;
  void backwardWeights(const void* x, void* dweights, const void* reserve) const;

 private:
  size_t features(int layer) const { return size_t(layer == 0 ? shape_.inputSize : shape_.directions * shape_.hiddenSize); }
  size_t rows() const { return size_t(shape_.time) * size_t(shape_.batch); }
  size_t row(int time, int batch) const { return size_t(time) * size_t(shape_.batch) + size_t(batch); }
  // Where a row of a sequence lies outside.
  size_t outside(int time, int batch) const;
  int timeOf(int step, int batch, int direction) const;
  size_t inputAt(int layer) const;
  size_t cellAt(int layer, int direction) const;
  bool agrees(const int* lengths) const;

  GruShape shape_;
};

}  // namespace cuda_emulation
