#pragma once

#include <cstdint>

#include "device/buffer.h"
#include "ops/precision.h"

namespace cudnn_gru::ops {

// y = x Wᵀ + b
struct Linear {
  int64_t rows, inputSize, outputSize;
  Precision precision;
  View x;       // [rows, inputSize]
  View weight;  // [outputSize, inputSize]
  View bias;    // [outputSize], optional
  View y;       // [rows, outputSize]
  double work() const { return double(rows) * double(inputSize) * double(outputSize); }
  template <class V>
  void fields(V& visit) {
    visit.extent(rows, "rows");
    visit.size(inputSize, "inputSize");
    visit.size(outputSize, "outputSize");
    visit.choice(precision, "precision", kPrecisions);
    visit.in(x, "x", {rows, inputSize});
    visit.in(weight, "weight", {outputSize, inputSize});
    visit.optionalIn(bias, "bias", {outputSize});
    visit.out(y, "y", {rows, outputSize});
  }
};

// xGrad = yGrad W, weightGrad = yGradᵀ x, biasGrad = sum of yGrad over rows
struct LinearBackward {
  int64_t rows, inputSize, outputSize;
  Precision precision;
  View x;           // [rows, inputSize]
  View weight;      // [outputSize, inputSize]
  View yGrad;       // [rows, outputSize]
  View xGrad;       // [rows, inputSize], optional
  View weightGrad;  // [outputSize, inputSize], optional
  View biasGrad;    // [outputSize], optional
  double work() const { return 2.0 * double(rows) * double(inputSize) * double(outputSize); }
  template <class V>
  void fields(V& visit) {
    visit.extent(rows, "rows");
    visit.size(inputSize, "inputSize");
    visit.size(outputSize, "outputSize");
    visit.choice(precision, "precision", kPrecisions);
    visit.in(x, "x", {rows, inputSize});
    visit.in(weight, "weight", {outputSize, inputSize});
    visit.in(yGrad, "yGrad", {rows, outputSize});
    visit.optionalOut(xGrad, "xGrad", {rows, inputSize});
    visit.optionalOut(weightGrad, "weightGrad", {outputSize, inputSize});
    visit.optionalOut(biasGrad, "biasGrad", {outputSize});
  }
};

// c[i] = op(a[i]) op(b[i]) for each of `batch` matrices; op transposes where the flag says so. Its gradients are
// matmuls.
struct Matmul {
  int64_t batch, m, n, k;
  bool transposeA, transposeB;
  Precision precision;
  View a;  // [batch, m, k], or [batch, k, m] when transposeA
  View b;  // [batch, k, n], or [batch, n, k] when transposeB
  View c;  // [batch, m, n]
  double work() const { return double(batch) * double(m) * double(n) * double(k); }
  template <class V>
  void fields(V& visit) {
    visit.extent(batch, "batch");
    visit.extent(m, "m");
    visit.extent(n, "n");
    visit.extent(k, "k");
    visit.flag(transposeA, "transposeA");
    visit.flag(transposeB, "transposeB");
    visit.choice(precision, "precision", kPrecisions);
    visit.in(a, "a", {batch, m, k});
    visit.in(b, "b", {batch, k, n});
    visit.out(c, "c", {batch, m, n});
  }
};

// y[i] = weight[ids[i]]; an id outside 0..vocabularySize-1 is ERR_INDEX_OUT_OF_RANGE
struct Embedding {
  int64_t count, vocabularySize, embeddingSize;
  View ids;     // [count] int32
  View weight;  // [vocabularySize, embeddingSize]
  View y;       // [count, embeddingSize]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.size(vocabularySize, "vocabularySize");
    visit.size(embeddingSize, "embeddingSize");
    visit.inInts(ids, "ids", {count});
    visit.in(weight, "weight", {vocabularySize, embeddingSize});
    visit.out(y, "y", {count, embeddingSize});
  }
};

// weightGrad[v] = sum of yGrad[i] over ids[i] = v in ascending i; row paddingIndex stays 0 (-1: none)
struct EmbeddingBackward {
  int64_t count, vocabularySize, embeddingSize;
  double paddingIndex;
  View ids;         // [count] int32
  View yGrad;       // [count, embeddingSize]
  View weightGrad;  // [vocabularySize, embeddingSize]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.size(vocabularySize, "vocabularySize");
    visit.size(embeddingSize, "embeddingSize");
    visit.number(paddingIndex, "paddingIndex");
    visit.inInts(ids, "ids", {count});
    visit.in(yGrad, "yGrad", {count, embeddingSize});
    visit.out(weightGrad, "weightGrad", {vocabularySize, embeddingSize});
  }
};

// y = (x - mean) * rstd * weight + bias over each row; rstd = 1 / sqrt(variance + epsilon), variance biased
struct LayerNorm {
  int64_t rows, columns;
  double epsilon;
  View x;       // [rows, columns]
  View weight;  // [columns], optional
  View bias;    // [columns], optional
  View y;       // [rows, columns]
  View mean;    // [rows]
  View rstd;    // [rows]
  template <class V>
  void fields(V& visit) {
    visit.extent(rows, "rows");
    visit.size(columns, "columns");
    visit.number(epsilon, "epsilon");
    visit.in(x, "x", {rows, columns});
    visit.optionalIn(weight, "weight", {columns});
    visit.optionalIn(bias, "bias", {columns});
    visit.out(y, "y", {rows, columns});
    visit.out(mean, "mean", {rows});
    visit.out(rstd, "rstd", {rows});
  }
};

struct LayerNormBackward {
  int64_t rows, columns;
  View x;           // [rows, columns]
  View weight;      // [columns], optional
  View mean;        // [rows]
  View rstd;        // [rows]
  View yGrad;       // [rows, columns]
  View xGrad;       // [rows, columns], optional
  View weightGrad;  // [columns], optional
  View biasGrad;    // [columns], optional
  template <class V>
  void fields(V& visit) {
    visit.extent(rows, "rows");
    visit.size(columns, "columns");
    visit.in(x, "x", {rows, columns});
    visit.optionalIn(weight, "weight", {columns});
    visit.in(mean, "mean", {rows});
    visit.in(rstd, "rstd", {rows});
    visit.in(yGrad, "yGrad", {rows, columns});
    visit.optionalOut(xGrad, "xGrad", {rows, columns});
    visit.optionalOut(weightGrad, "weightGrad", {columns});
    visit.optionalOut(biasGrad, "biasGrad", {columns});
  }
};

// y[i] = keep(i) ? x[i] / (1 - probability) : 0, keep(i) = word i of the Philox stream >= probability * 2^32 (see
// RandomFill). Its gradient is the same operation on yGrad with the same seed and offset: no mask is stored. 0 <=
// probability < 1.
struct Dropout {
  int64_t count;
  double probability;
  uint64_t seed, offset;
  View x;  // [count]
  View y;  // [count]
  template <class V>
  void fields(V& visit) {
    visit.extent(count, "count");
    visit.number(probability, "probability");
    visit.seed(seed, "seed");
    visit.seed(offset, "offset");
    visit.in(x, "x", {count});
    visit.out(y, "y", {count});
  }
};

// Over each row: softmax y = exp(x - max) / sum, logSoftmax y = x - max - log(sum).
struct RowWise {
  int64_t rows, columns;
  View x;  // [rows, columns]
  View y;  // [rows, columns]
  template <class V>
  void fields(V& visit) {
    visit.extent(rows, "rows");
    visit.size(columns, "columns");
    visit.in(x, "x", {rows, columns});
    visit.out(y, "y", {rows, columns});
  }
};
struct Softmax : RowWise {};
struct LogSoftmax : RowWise {};

struct RowWiseBackward {
  int64_t rows, columns;
  View y;      // [rows, columns]
  View yGrad;  // [rows, columns]
  View xGrad;  // [rows, columns]
  template <class V>
  void fields(V& visit) {
    visit.extent(rows, "rows");
    visit.size(columns, "columns");
    visit.in(y, "y", {rows, columns});
    visit.in(yGrad, "yGrad", {rows, columns});
    visit.out(xGrad, "xGrad", {rows, columns});
  }
};
struct SoftmaxBackward : RowWiseBackward {};
struct LogSoftmaxBackward : RowWiseBackward {};

}  // namespace cudnn_gru::ops
