#include "cuda/gru_reset_before.h"

#include "cuda/gru_conversions.h"
#include "cuda/gru_reset_before_area.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/gru_reset_before.h"
#include "cuda/kernels/reduce.h"
#include "cuda/kernels/sums.h"
#include "cuda/matrix_product.h"

namespace cudnn_gru {
namespace {

// What both passes share.
class Pass {
 public:
  Pass(CudaDevice& device, const ops::GruShape& shape)
      : device_(device),
        shape_(shape),
        area_(shape),
        dropout_{shape.dropout, shape.seed, shape.offset},
        h_(shape.hiddenSize),
        states_(shape.batch * shape.hiddenSize),
        features_(shape.directions * shape.hiddenSize) {
    if (isFullLength(shape)) return;
    lengths_ = Scratch(device, size_t(shape.batch), sizeof(int32_t));
    const std::vector<int32_t> lengths(shape.lengths.begin(), shape.lengths.end());
    device.copyFromHost(lengths_.data(), lengths.data(), lengths_.bytes());
  }

 protected:
  kernels::GruStep step(int64_t index, int64_t direction) const {
    return {index, shape_.time, shape_.batch, h_, static_cast<const int32_t*>(lengths_.data()), direction == 1};
  }
  // c [m, n] = op(a) op(b) + bias
  void multiply(int64_t m, int64_t n, int64_t k, const float* a, bool transposeA, const float* b, bool transposeB,
                float* c, ops::Precision precision, const float* bias = nullptr) const {
    MatrixProduct product;
    product.m = m;
    product.n = n;
    product.k = k;
    product.a = a;
    product.transposeA = transposeA;
    product.b = b;
    product.transposeB = transposeB;
    product.c = c;
    product.bias = bias;
    product.precision = precision;
    device_.matrixProducts().multiply(product);
  }
  const float* weight(int64_t layer, int64_t direction, int64_t which) const {
    return shape_.weight(layer, direction, which).floats();
  }
  int64_t steps() const { return area_.steps(); }
  void zero(void* data, int64_t floats) const {
    CUDNN_GRU_CUDA(cudaMemsetAsync(data, 0, size_t(floats) * sizeof(float), device_.stream()));
  }
  void copy(const float* from, float* to, int64_t floats) const {
    CUDNN_GRU_CUDA(
        cudaMemcpyAsync(to, from, size_t(floats) * sizeof(float), cudaMemcpyDeviceToDevice, device_.stream()));
  }

  CudaDevice& device_;
  const ops::GruShape& shape_;
  ResetBeforeArea area_;
  GruDropout dropout_;
  int64_t h_, states_, features_;
  Scratch lengths_;  // [batch], or nothing: all of full length
};

class Forward : Pass {
 public:
  Forward(CudaDevice& device, const ops::Gru& operation) : Pass(device, operation), operation_(operation) {}

  void run() {
    float* area = nullptr;
    if (operation_.saved) {
      operation_.saved.buffer->resize(size_t(area_.floats()) * sizeof(float));
      area = static_cast<float*>(operation_.saved.buffer->data());
      zero(area, area_.floats());  // rows at rest
    }
    Scratch own;
    const float* x = operation_.x.floats();
    if (area_.ownsInput()) {
      if (!area) own = Scratch(device_, size_t(steps() * shape_.inputSize));
      float* input = area ? area + area_.inputAt(0) : own.floats();
      if (area_.transposes()) transposeSequence(device_, x, input, shape_.batch, shape_.time, shape_.inputSize);
      // Whatever lies in the padding must not meet a gradient of 0: it may be NaN.
      if (lengths_.data())
        CUDNN_GRU_CUDA(kernels::gruClearPadding(area_.transposes() ? input : x, input,
                                                static_cast<const int32_t*>(lengths_.data()), shape_.time, shape_.batch,
                                                shape_.inputSize, device_.stream()));
      x = input;
    }
    for (int64_t layer = 0; layer < shape_.layers; ++layer) {
      const bool last = layer == shape_.layers - 1;
      Scratch output;
      float* y = last ? operation_.output.floats() : area ? area + area_.inputAt(layer + 1) : nullptr;
      if (!y || (last && area_.transposes())) {
        output = Scratch(device_, size_t(steps() * features_));
        y = output.floats();
      }
      if (lengths_.data()) zero(y, steps() * features_);
      for (int64_t direction = 0; direction < shape_.directions; ++direction) runCell(layer, direction, x, y, area);
      if (!last && shape_.dropout > 0) dropout_.apply(device_, layer, steps() * features_, y, y);
      if (last && area_.transposes())
        transposeSequence(device_, y, operation_.output.floats(), shape_.time, shape_.batch, features_);
      own = std::move(output);
      x = y;
    }
  }

 private:
  void runCell(int64_t layer, int64_t direction, const float* x, float* y, float* area) {
    const int64_t in = shape_.layerInputSize(layer), rows = shape_.batch;
    const float* u = weight(layer, direction, 1);
    const float* inputBias = shape_.hasBias ? weight(layer, direction, 2) : nullptr;
    const float* bias = shape_.hasBias ? weight(layer, direction, 3) : nullptr;
    const Scratch input(device_, size_t(steps() * 3 * h_)), recurrent(device_, size_t(2 * states_)),
        z(device_, size_t(states_)), resetState(device_, size_t(states_));
    const ops::Precision precision = shape_.precision;
    multiply(steps(), 3 * h_, in, x, false, weight(layer, direction, 0), true, input.floats(), precision, inputBias);

    const int64_t stateAt = (layer * shape_.directions + direction) * states_;
    float* state = operation_.hidden.floats() + stateAt;
    if (operation_.initialHidden)
      copy(operation_.initialHidden.floats() + stateAt, state, states_);
    else
      zero(state, states_);
    float* gates = area ? area_.gates(area, layer, direction) : nullptr;
    float* stateBefore = area ? area_.stateBefore(area, layer, direction) : nullptr;
    float* resetStates = area ? area_.resetStates(area, layer, direction) : nullptr;
    for (int64_t index = 0; index < shape_.time; ++index) {
      const kernels::GruStep at = step(index, direction);
      multiply(rows, 2 * h_, h_, state, false, u, true, recurrent.floats(), precision);
      CUDNN_GRU_CUDA(kernels::gruGates(at,
                                       {input.floats(), recurrent.floats(), bias, state, z.floats(),
                                        resetState.floats(), gates, stateBefore, resetStates},
                                       device_.stream()));
      multiply(rows, h_, h_, resetState.floats(), false, u + 2 * h_ * h_, true, recurrent.floats(), precision);
      CUDNN_GRU_CUDA(kernels::gruCandidate(
          at, {input.floats(), recurrent.floats(), bias, z.floats(), state, y + direction * h_, features_, gates},
          device_.stream()));
    }
  }

  const ops::Gru& operation_;
};

class Backward : Pass {
 public:
  Backward(CudaDevice& device, const ops::GruBackward& operation)
      : Pass(device, operation),
        operation_(operation),
        kept_(static_cast<float*>(operation.saved.buffer->data())),
        // The gradients of float16 are too small for its numbers: their products are of TF32's, which have its
        // mantissa.
        precision_(operation.precision == ops::Precision::kFloat16 ? ops::Precision::kTf32 : operation.precision) {}

  void run() {
    Scratch own;  // the gradient of a layer's output, from the layer above
    const float* yGrad = operation_.outputGrad.floatsOrNull();
    if (yGrad && area_.transposes()) {
      own = Scratch(device_, size_t(steps() * features_));
      transposeSequence(device_, yGrad, own.floats(), shape_.batch, shape_.time, features_);
      yGrad = own.floats();
    }
    for (int64_t layer = shape_.layers - 1; layer >= 0; --layer) {
      const int64_t in = shape_.layerInputSize(layer);
      const bool wantsInput = layer > 0 || operation_.xGrad;
      const bool direct = layer == 0 && !area_.transposes();
      Scratch inputGrad;
      float* xGrad = direct ? operation_.xGrad.floatsOrNull() : nullptr;
      if (wantsInput && !direct) {
        inputGrad = Scratch(device_, size_t(steps() * in));
        xGrad = inputGrad.floats();
      }
      for (int64_t direction = 0; direction < shape_.directions; ++direction) runCell(layer, direction, yGrad, xGrad);
      if (layer > 0 && shape_.dropout > 0) dropout_.apply(device_, layer - 1, steps() * in, xGrad, xGrad);
      if (layer == 0 && wantsInput && !direct)
        transposeSequence(device_, xGrad, operation_.xGrad.floats(), shape_.time, shape_.batch, in);
      own = std::move(inputGrad);
      yGrad = xGrad;
    }
  }

 private:
  void runCell(int64_t layer, int64_t direction, const float* yGrad, float* xGrad) {
    const int64_t rows = shape_.batch;
    const float* u = weight(layer, direction, 1);
    const float *gates = area_.gates(kept_, layer, direction),
                *stateBefore = area_.stateBefore(kept_, layer, direction);
    const Scratch grads(device_, size_t(steps() * 3 * h_)), candidateGrads(device_, size_t(steps() * h_));
    const Scratch candidateGrad(device_, size_t(states_)), gateGrads(device_, size_t(2 * states_)),
        resetStateGrad(device_, size_t(states_)), recurrent(device_, size_t(states_)),
        ownCarry(device_, size_t(states_));
    if (lengths_.data()) {  // rows at rest
      zero(grads.data(), steps() * 3 * h_);
      zero(candidateGrads.data(), steps() * h_);
    }
    const int64_t stateAt = (layer * shape_.directions + direction) * states_;
    float* carry = operation_.initialHiddenGrad ? operation_.initialHiddenGrad.floats() + stateAt : ownCarry.floats();
    if (operation_.hiddenGrad)
      copy(operation_.hiddenGrad.floats() + stateAt, carry, states_);
    else
      zero(carry, states_);
    const float* layerGrad = yGrad ? yGrad + direction * h_ : nullptr;
    for (int64_t index = shape_.time - 1; index >= 0; --index) {
      const kernels::GruStep at = step(index, direction);
      CUDNN_GRU_CUDA(kernels::gruCandidateGradient(
          at,
          {layerGrad, features_, index == shape_.time - 1 ? nullptr : recurrent.floats(), gates, stateBefore, carry,
           candidateGrad.floats(), gateGrads.floats(), grads.floats(), candidateGrads.floats()},
          device_.stream()));
      multiply(rows, h_, h_, candidateGrad.floats(), false, u + 2 * h_ * h_, false, resetStateGrad.floats(),
               precision_);
      CUDNN_GRU_CUDA(kernels::gruResetGradient(
          at, {resetStateGrad.floats(), gates, stateBefore, carry, gateGrads.floats(), grads.floats()},
          device_.stream()));
      multiply(rows, h_, 2 * h_, gateGrads.floats(), false, u, false, recurrent.floats(), precision_);
    }
    if (operation_.initialHiddenGrad)
      CUDNN_GRU_CUDA(kernels::add(carry, recurrent.floats(), carry, states_, device_.stream()));
    finishCell(layer, direction, grads.floats(), candidateGrads.floats(), xGrad);
  }

  // From the gradients of all steps' sums to those of the weights and of the input.
  void finishCell(int64_t layer, int64_t direction, const float* grads, const float* candidateGrads, float* xGrad) {
    const int64_t in = shape_.layerInputSize(layer);
    const float* x = area_.inputFloats(layer) > 0 ? kept_ + area_.inputAt(layer) : operation_.x.floats();
    if (xGrad) {
      Scratch second;
      float* to = xGrad;
      if (direction == 1) {
        second = Scratch(device_, size_t(steps() * in));
        to = second.floats();
      }
      multiply(steps(), in, 3 * h_, grads, false, weight(layer, direction, 0), false, to, precision_);
      if (direction == 1) CUDNN_GRU_CUDA(kernels::add(xGrad, to, xGrad, steps() * in, device_.stream()));
    }
    if (operation_.weightGrads.empty()) return;
    const View* views =
        operation_.weightGrads.data() + (layer * shape_.directions + direction) * shape_.weightsPerCell();
    multiply(3 * h_, in, steps(), grads, true, x, false, views[0].floats(), precision_);
    // The state enters r and z as it is, n after the reset.
    float* stateWeights = views[1].floats();
    multiply(3 * h_, h_, steps(), grads, true, area_.stateBefore(kept_, layer, direction), false, stateWeights,
             precision_);
    multiply(h_, h_, steps(), candidateGrads, true, area_.resetStates(kept_, layer, direction), false,
             stateWeights + 2 * h_ * h_, precision_);
    if (!shape_.hasBias) return;
    const Scratch sums(device_, size_t(kernels::columnSumsScratch(steps(), 3 * h_)), sizeof(double));
    CUDNN_GRU_CUDA(kernels::sumOverRows(grads, views[2].floats(), steps(), 3 * h_, static_cast<double*>(sums.data()),
                                        device_.stream()));
    copy(views[2].floats(), views[3].floats(), 3 * h_);
  }

  const ops::GruBackward& operation_;
  float* kept_;
  ops::Precision precision_;
};

}  // namespace

void runResetBefore(CudaDevice& device, const ops::Gru& operation) { Forward(device, operation).run(); }
void runResetBeforeBackward(CudaDevice& device, const ops::GruBackward& operation) {
  Backward(device, operation).run();
}

}  // namespace cudnn_gru
