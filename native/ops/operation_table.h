#pragma once

#include "ops/arithmetic.h"
#include "ops/attention.h"
#include "ops/ctc.h"
#include "ops/gru.h"
#include "ops/gru_quantized.h"
#include "ops/layers.h"
#include "ops/losses.h"
#include "ops/optimizers.h"
#include "ops/rearrange.h"
#include "ops/sequences.h"
#include "ops/streams.h"

// Every operation, once: X(name, struct). From this list come the addon's functions, the device interface and so the
// places each backend must fill. The name is the same in lib/ops, here, in native/cpu and in native/cuda.
//
// The struct declares the arguments, in the order in which TypeScript passes them, by `fields`:
//   size(n, "n")                 a dimension, 1 <= n
//   extent(n, "n")               a dimension that may be 0
//   choice(c, "c", n)            one of n words, passed as its number from 0
//   number(x, "x"), flag(b, "b"), seed(s, "s")
//   hostInts(v, "v", n)          whole numbers that stay on the host: none, or n of them
//   in/optionalIn/inInts/inAny(v, "v", {dims})    a view that is read: float32, int32 (Ints) or either (Any)
//   inOut/inOutInts/inOutAny(v, "v", {dims})      a view that is read and written in place
//   out/optionalOut/outInts(v, "v", {dims})       a new buffer; an optional one is absent when not wanted
//   outLike(v, "v", {dims}, others)               a new buffer, of the element type of `others`
//   optionalSaved(v, "v"), inOutSaved(v, "v")     a buffer whose size the device decides (Buffer::resize): new; again
//   inList/inIntsList/inOutList(vs, "vs")         views of any number and size
//   inListLike/inOutListLike/optionalInOutListLike(vs, "vs", others)   as many views as `others`, of equal sizes
//   optionalOutListLike(vs, "vs", others)         new views of equal sizes, side by side in one buffer: in the order in
//                                                 which `others` lie if these are so too, else in that of the list
//   parts(vs, "vs", outer, lengths, inner, length)   the parts of a concatenation along one axis
// Conditions on what was read: require(condition, "what"), expect(v, "v", {dims}), strided(...), contiguous(...).
// `double work() const`, in multiply-adds, is declared where it is not in proportion to the bytes that are touched.
// Every view's size is checked against its dims before the operation is queued.
#define CUDNN_GRU_OPERATIONS(X)                             \
  /* arithmetic.h */                                        \
  X(fill, Fill)                                             \
  X(randomUniform, RandomUniform)                           \
  X(randomNormal, RandomNormal)                             \
  X(copy, Copy)                                             \
  X(accumulate, Accumulate)                                 \
  X(scale, Scale)                                           \
  X(tanh, Tanh)                                             \
  X(tanhBackward, TanhBackward)                             \
  X(sigmoid, Sigmoid)                                       \
  X(sigmoidBackward, SigmoidBackward)                       \
  X(relu, Relu)                                             \
  X(reluBackward, ReluBackward)                             \
  X(add, Add)                                               \
  X(sub, Sub)                                               \
  X(mul, Mul)                                               \
  X(div, Div)                                               \
  X(sum, Sum)                                               \
  X(expand, Expand)                                         \
  /* rearrange.h */                                         \
  X(concat, Concat)                                         \
  X(slice, Slice)                                           \
  X(sliceBackward, SliceBackward)                           \
  X(transpose, Transpose)                                   \
  /* layers.h */                                            \
  X(linear, Linear)                                         \
  X(linearBackward, LinearBackward)                         \
  X(matmul, Matmul)                                         \
  X(embedding, Embedding)                                   \
  X(embeddingBackward, EmbeddingBackward)                   \
  X(layerNorm, LayerNorm)                                   \
  X(layerNormBackward, LayerNormBackward)                   \
  X(dropout, Dropout)                                       \
  X(softmax, Softmax)                                       \
  X(softmaxBackward, SoftmaxBackward)                       \
  X(logSoftmax, LogSoftmax)                                 \
  X(logSoftmaxBackward, LogSoftmaxBackward)                 \
  /* sequences.h */                                         \
  X(gatherTime, GatherTime)                                 \
  X(gatherTimeBackward, GatherTimeBackward)                 \
  X(maskedMean, MaskedMean)                                 \
  X(maskedMeanBackward, MaskedMeanBackward)                 \
  X(maskedMax, MaskedMax)                                   \
  X(maskedMaxBackward, MaskedMaxBackward)                   \
  /* attention.h */                                         \
  X(maskedSoftmax, MaskedSoftmax)                           \
  X(additiveScores, AdditiveScores)                         \
  X(additiveScoresBackward, AdditiveScoresBackward)         \
  /* losses.h */                                            \
  X(mse, Mse)                                               \
  X(mseBackward, MseBackward)                               \
  X(mae, Mae)                                               \
  X(maeBackward, MaeBackward)                               \
  X(huber, Huber)                                           \
  X(huberBackward, HuberBackward)                           \
  X(crossEntropy, CrossEntropy)                             \
  X(crossEntropyBackward, CrossEntropyBackward)             \
  X(binaryCrossEntropy, BinaryCrossEntropy)                 \
  X(binaryCrossEntropyBackward, BinaryCrossEntropyBackward) \
  /* ctc.h */                                               \
  X(ctc, Ctc)                                               \
  X(ctcBackward, CtcBackward)                               \
  /* optimizers.h */                                        \
  X(gradientNorm, GradientNorm)                             \
  X(clipGradients, ClipGradients)                           \
  X(sgd, Sgd)                                               \
  X(rmsprop, Rmsprop)                                       \
  X(adagrad, Adagrad)                                       \
  X(adam, Adam)                                             \
  /* gru.h */                                               \
  X(gru, Gru)                                               \
  X(gruBackward, GruBackward)                               \
  /* gru_quantized.h */                                     \
  X(gruQuantized, GruQuantized)                             \
  /* streams.h */                                           \
  X(gatherStates, GatherStates)                             \
  X(scatterStates, ScatterStates)
