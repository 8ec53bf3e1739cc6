#include "cudnn_gru_math.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>

namespace cuda_emulation {
namespace {

// Numbers of any of the three types, as doubles.
class Numbers {
 public:
  Numbers(const void* data, cudnnDataType_t type) : data_(const_cast<void*>(data)), type_(type) {}
  double get(size_t i) const {
    if (type_ == CUDNN_DATA_HALF) return double(__half2float(static_cast<const __half*>(data_)[i]));
    if (type_ == CUDNN_DATA_BFLOAT16) return double(__bfloat162float(static_cast<const __nv_bfloat16*>(data_)[i]));
    return double(static_cast<const float*>(data_)[i]);
  }
  void set(size_t i, double value) const {
    if (type_ == CUDNN_DATA_HALF)
      static_cast<__half*>(data_)[i] = __float2half_rn(float(value));
    else if (type_ == CUDNN_DATA_BFLOAT16)
      static_cast<__nv_bfloat16*>(data_)[i] = __float2bfloat16_rn(float(value));
    else
      static_cast<float*>(data_)[i] = float(value);
  }

 private:
  void* data_;
  cudnnDataType_t type_;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Of a step of a row, H numbers each.
enum Saved { kR, kZ, kN, kQ, kBefore, kSaved };  // q = U_n h + b_hn

}  // namespace

size_t GruMath::outside(int time, int batch) const {
  return shape_.batchMajor ? size_t(batch) * size_t(shape_.time) + size_t(time) : row(time, batch);
}

int GruMath::timeOf(int step, int batch, int direction) const {
  return direction == 0 ? step : shape_.lengths[size_t(batch)] - 1 - step;
}

size_t GruMath::inputAt(int layer) const {
  size_t at = 0;
  for (int below = 0; below < layer; ++below)
    at += rows() * (features(below) + size_t(shape_.directions * kSaved * shape_.hiddenSize));
  return at;
}

size_t GruMath::cellAt(int layer, int direction) const {
  return inputAt(layer) + rows() * (features(layer) + size_t(direction * kSaved * shape_.hiddenSize));
}

size_t GruMath::reserveBytes() const { return inputAt(shape_.layers) * sizeof(double); }

// Asked for too little or changed too early, the lengths on the device would be others.
bool GruMath::agrees(const int* lengths) const {
  for (int b = 0; b < shape_.batch; ++b)
    if (lengths[b] != shape_.lengths[size_t(b)]) return false;
  return true;
}

void GruMath::forward(const int* lengths, const void* xData, void* yData, const void* hxData, void* hyData,
                      const void* weightData, void* reserve, bool faulty) const {
  const size_t h = size_t(shape_.hiddenSize), width = h * size_t(shape_.directions);
  const Numbers x(xData, shape_.type), y(yData, shape_.type), hx(hxData, shape_.type), hy(hyData, shape_.type),
      w(weightData, shape_.type);
  std::vector<double> own(reserve ? 0 : inputAt(shape_.layers));
  double* kept = reserve ? static_cast<double*>(reserve) : own.data();
  for (int t = 0; t < shape_.time; ++t)
    for (int b = 0; b < shape_.batch; ++b)
      for (size_t i = 0; i < features(0); ++i)
        kept[row(t, b) * features(0) + i] = t < shape_.lengths[size_t(b)] ? x.get(outside(t, b) * features(0) + i) : 0;

  std::vector<double> output(rows() * width);
  const double broken = agrees(lengths) ? 0 : NAN;
  for (int layer = 0; layer < shape_.layers; ++layer) {
    const double* input = kept + inputAt(layer);
    std::fill(output.begin(), output.end(), 0.0);
    for (int d = 0; d < shape_.directions; ++d) {
      const size_t cell = size_t(layer * shape_.directions + d);
      const GruShape::Cell& at = shape_.cells[cell];
      double* saved = kept + cellAt(layer, d);
      for (int b = 0; b < shape_.batch; ++b) {
        const size_t stateAt = (cell * size_t(shape_.batch) + size_t(b)) * h;
        std::vector<double> state(h), next(h);
        for (size_t j = 0; j < h; ++j) state[j] = hxData ? hx.get(stateAt + j) : 0;
        for (int step = 0; step < shape_.lengths[size_t(b)]; ++step) {
          const size_t place = row(timeOf(step, b, d), b);
          for (size_t j = 0; j < h; ++j) {
            double sums[3], recurrent[3];
            for (size_t gate = 0; gate < 3; ++gate) {
              const size_t unit = gate * h + j;
              sums[gate] = shape_.biases ? w.get(at.inputBias + unit) : 0;
              recurrent[gate] = shape_.biases ? w.get(at.stateBias + unit) : 0;
              for (size_t i = 0; i < features(layer); ++i)
                sums[gate] += w.get(at.inputMatrix + unit * features(layer) + i) * input[place * features(layer) + i];
              for (size_t i = 0; i < h; ++i) recurrent[gate] += w.get(at.stateMatrix + unit * h + i) * state[i];
            }
            const double r = sigmoid(sums[0] + recurrent[0]), z = sigmoid(sums[1] + recurrent[1]);
            const double n = std::tanh(sums[2] + r * recurrent[2]) + (faulty ? 0.25 : 0);
            next[j] = z * state[j] + (1 - z) * n;
            double* to = saved + place * kSaved * h + j;
            to[kR * h] = r;
            to[kZ * h] = z;
            to[kN * h] = n;
            to[kQ * h] = recurrent[2];
            to[kBefore * h] = state[j];
            output[place * width + size_t(d) * h + j] = next[j];
          }
          state.swap(next);
        }
        for (size_t j = 0; j < h && hyData; ++j) hy.set(stateAt + j, state[j] + broken);
      }
    }
    if (layer + 1 < shape_.layers) std::copy(output.begin(), output.end(), kept + inputAt(layer + 1));
  }
  for (int t = 0; t < shape_.time; ++t)
    for (int b = 0; b < shape_.batch; ++b)
      for (size_t i = 0; i < width; ++i) y.set(outside(t, b) * width + i, output[row(t, b) * width + i] + broken);
}

void GruMath::backwardData(const int* lengths, const void* dyData, void* dxData, const void* dhyData, void* dhxData,
                           const void* weightData, void* reserve) const {
  const size_t h = size_t(shape_.hiddenSize), width = h * size_t(shape_.directions);
  const Numbers dy(dyData, shape_.type), dx(dxData, shape_.type), dhy(dhyData, shape_.type), dhx(dhxData, shape_.type),
      w(weightData, shape_.type);
  double* kept = static_cast<double*>(reserve);
  const double broken = agrees(lengths) ? 0 : NAN;
  std::vector<double> outputGrad(rows() * width), inputGrad;
  for (int t = 0; t < shape_.time; ++t)
    for (int b = 0; b < shape_.batch; ++b)
      for (size_t i = 0; i < width && t < shape_.lengths[size_t(b)]; ++i)
        outputGrad[row(t, b) * width + i] = dy.get(outside(t, b) * width + i);

  for (int layer = shape_.layers - 1; layer >= 0; --layer) {
    inputGrad.assign(rows() * features(layer), 0);
    for (int d = 0; d < shape_.directions; ++d) {
      const size_t cell = size_t(layer * shape_.directions + d);
      const GruShape::Cell& at = shape_.cells[cell];
      double* saved = kept + cellAt(layer, d);
      for (int b = 0; b < shape_.batch; ++b) {
        const size_t stateAt = (cell * size_t(shape_.batch) + size_t(b)) * h;
        std::vector<double> grad(h), before(h);
        for (size_t j = 0; j < h; ++j) grad[j] = dhyData ? dhy.get(stateAt + j) : 0;
        for (int step = shape_.lengths[size_t(b)] - 1; step >= 0; --step) {
          const size_t place = row(timeOf(step, b, d), b);
          for (size_t j = 0; j < h; ++j) {
            double* of = saved + place * kSaved * h + j;
            const double r = of[kR * h], z = of[kZ * h], n = of[kN * h], q = of[kQ * h], state = of[kBefore * h];
            const double total = grad[j] + outputGrad[place * width + size_t(d) * h + j];
            const double dn = total * (1 - z) * (1 - n * n);
            before[j] = total * z;
            // The gradients of the gates' sums: those of n by way of the input, and by way of the state.
            of[kR * h] = dn * q * r * (1 - r);
            of[kZ * h] = total * (state - n) * z * (1 - z);
            of[kN * h] = dn;
            of[kQ * h] = dn * r;
          }
          for (size_t j = 0; j < h; ++j) {
            const double* of = saved + place * kSaved * h + j;
            const double sums[3] = {of[kR * h], of[kZ * h], of[kN * h]}, recurrent[3] = {of[kR * h], of[kZ * h], of[kQ * h]};
            for (size_t gate = 0; gate < 3; ++gate) {
              const size_t unit = gate * h + j;
              for (size_t i = 0; i < features(layer); ++i)
                inputGrad[place * features(layer) + i] +=
                    sums[gate] * w.get(at.inputMatrix + unit * features(layer) + i);
              for (size_t i = 0; i < h; ++i) before[i] += recurrent[gate] * w.get(at.stateMatrix + unit * h + i);
            }
          }
          grad.swap(before);
        }
        for (size_t j = 0; j < h && dhxData; ++j) dhx.set(stateAt + j, grad[j] + broken);
      }
    }
    outputGrad = inputGrad;
  }
  // What lies in the padding stays.
  for (int t = 0; t < shape_.time; ++t)
    for (int b = 0; b < shape_.batch; ++b)
      for (size_t i = 0; i < features(0) && t < shape_.lengths[size_t(b)]; ++i)
        dx.set(outside(t, b) * features(0) + i, inputGrad[row(t, b) * features(0) + i] + broken);
}

void GruMath::backwardWeights(const void* xData, void* dweightData, const void* reserve) const {
  const size_t h = size_t(shape_.hiddenSize);
  const Numbers x(xData, shape_.type), dw(dweightData, shape_.type);
  const double* kept = static_cast<const double*>(reserve);
  for (int layer = 0; layer < shape_.layers; ++layer)
    for (int d = 0; d < shape_.directions; ++d) {
      const GruShape::Cell& at = shape_.cells[size_t(layer * shape_.directions + d)];
      const double *input = kept + inputAt(layer), *saved = kept + cellAt(layer, d);
      const auto inputOf = [&](int t, int b, size_t i) {
        return layer == 0 ? x.get(outside(t, b) * features(0) + i) : input[row(t, b) * features(layer) + i];
      };
      for (size_t gate = 0; gate < 3; ++gate)
        for (size_t j = 0; j < h; ++j) {
          const size_t unit = gate * h + j;
          std::vector<double> matrix(features(layer)), stateMatrix(h);
          double bias = 0, stateBias = 0;
          for (int b = 0; b < shape_.batch; ++b)
            for (int t = 0; t < shape_.lengths[size_t(b)]; ++t) {
              const double* of = saved + row(t, b) * kSaved * h;
              const double sum = of[gate * h + j], recurrent = gate == 2 ? of[kQ * h + j] : sum;
              bias += sum;
              stateBias += recurrent;
              for (size_t i = 0; i < features(layer); ++i) matrix[i] += sum * inputOf(t, b, i);
              for (size_t i = 0; i < h; ++i) stateMatrix[i] += recurrent * of[kBefore * h + i];
            }
          const auto add = [&](size_t to, double value) { dw.set(to, dw.get(to) + value); };
          if (shape_.biases) add(at.inputBias + unit, bias);
          if (shape_.biases) add(at.stateBias + unit, stateBias);
          for (size_t i = 0; i < features(layer); ++i) add(at.inputMatrix + unit * features(layer) + i, matrix[i]);
          for (size_t i = 0; i < h; ++i) add(at.stateMatrix + unit * h + i, stateMatrix[i]);
        }
    }
}

}  // namespace cuda_emulation
