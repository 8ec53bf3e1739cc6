#include "cpu/simd/gru_quantized_kernels.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"

// The AVX-512 tables are for processors that also have AVX512_VNNI or AVX512_BF16; others with AVX-512 use those of
// AVX2. So these two are asked of single functions and not of the whole file.
#if CUDNN_GRU_SIMD_CODE == 3
#define CUDNN_GRU_DOT_TARGET __attribute__((target("avx512vnni,avx512bf16")))
#define CUDNN_GRU_DOT_INLINE static inline __attribute__((always_inline, target("avx512vnni,avx512bf16")))
#else
#define CUDNN_GRU_DOT_TARGET
#define CUDNN_GRU_DOT_INLINE static inline __attribute__((always_inline))
#endif

namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE {

constexpr int kGates = 3;

static Vec readLanes(const float* p, int64_t lanes) { return lanes < kWidth ? loadPartial(p, lanes) : load(p); }

// ---- rounding

// -127 to 127; NaN gives 0 (the scale of its row, or the state itself, is NaN then).
static IntVec roundToInt8(Vec v, Vec factor) {
  const Vec scaled = select(isNan(v), zero(), v * factor);
  return toInts(max(broadcast(-127.0f), min(broadcast(127.0f), scaled)));
}

#if CUDNN_GRU_SIMD_CODE == 3
constexpr int kInt8Words = 1;
constexpr int kInt8Shift = 128;  // vpdpbusd takes unsigned bytes on one side

static void writeInt8(int32_t* to, int64_t at, IntVec q) {
  const IntVec shifted = addInts(q, broadcastInt(kInt8Shift));
  _mm_storeu_si128((__m128i*)((uint8_t*)to + at), _mm512_cvtepi32_epi8(shifted));
}
#else
constexpr int kInt8Words = 2;  // as int16, in the order 0 2 1 3 that `dot` wants
constexpr int kInt8Shift = 0;

static void writeInt8(int32_t* to, int64_t at, IntVec q) {
  int32_t lanes[kWidth];
  storeInts(lanes, q);
  for (int i = 0; i < kWidth; i += 4) {
    const int16_t four[4] = {int16_t(lanes[i]), int16_t(lanes[i + 2]), int16_t(lanes[i + 1]), int16_t(lanes[i + 3])};
    memcpy((int16_t*)to + at + i, four, sizeof four);
  }
}
#endif

static void quantizeInt8(const float* from, int64_t count, float factor, int32_t* to) {
  const Vec factors = broadcast(factor);
  for (int64_t i = 0; i < count; i += kWidth) writeInt8(to, i, roundToInt8(readLanes(from + i, count - i), factors));
}

static float stateToInt8(const float* from, int64_t count, int32_t* to) {
  quantizeInt8(from, count, 127.0f, to);
  return 1 / 127.0f;
}

static float inputToInt8(const float* from, int64_t count, int32_t* to) {
  constexpr int32_t kInfinity = 0x7f800000;
  IntVec most = broadcastInt(0);  // of the magnitudes' bits, which sort as the magnitudes do, NaN last
  for (int64_t i = 0; i < count; i += kWidth) {
    const IntVec magnitude = bits(abs(readLanes(from + i, count - i)));
    most = select(greaterInts(magnitude, most), magnitude, most);
  }
  int32_t lanes[kWidth], largestBits = 0;
  storeInts(lanes, most);
  for (int i = 0; i < kWidth; ++i) largestBits = lanes[i] > largestBits ? lanes[i] : largestBits;
  float largest;
  memcpy(&largest, &largestBits, sizeof largest);
  const bool finite = largestBits < kInfinity;
  // Below the smallest factor that float32 holds, what a row contributes is nothing.
  const bool nothing = largest < 0x1p-120f;
  quantizeInt8(from, count, !finite || nothing ? 0.0f : 127.0f / largest, to);
  return !finite ? __builtin_nanf("") : nothing ? 0.0f : largest / 127.0f;
}

// The upper halves of float32, rounded; NaN stays NaN.
static IntVec roundToBfloat16(Vec v) {
  const IntVec b = bits(v), odd = andInts(shiftRightLogical<16>(b), broadcastInt(1));
  const IntVec rounded = addInts(b, addInts(odd, broadcastInt(0x7fff)));
  return select(isNan(v), broadcastInt(0x7fc00000), andInts(rounded, broadcastInt(int32_t(0xffff0000))));
}

static float toBfloat16(const float* from, int64_t count, int32_t* to) {
  for (int64_t i = 0; i < count; i += kWidth) {
    const IntVec rounded = roundToBfloat16(readLanes(from + i, count - i));
#if CUDNN_GRU_SIMD_CODE == 3
    _mm256_storeu_si256((__m256i*)((uint16_t*)to + i), _mm512_cvtepi32_epi16(shiftRightLogical<16>(rounded)));
#else
    storeInts(to + i, rounded);
#endif
  }
  return 1;
}

// ---- products: sum += Σ of the products of one word of weights in every lane with one word of activations

struct Int8 {
  using Sum = IntVec;
  static constexpr int kActivationWords = kInt8Words;

#if CUDNN_GRU_SIMD_CODE == 3
  CUDNN_GRU_DOT_INLINE Sum dot(Sum sum, IntVec weights, const int32_t* activations) {
    return _mm512_dpbusd_epi32(sum, _mm512_set1_epi32(activations[0]), weights);
  }
#else
  typedef int16_t Shorts __attribute__((vector_size(4 * kWidth)));

  // a.0 b.0 + a.1 b.1 of the int16 pairs in each lane. (The sum of two such fits into int16.)
  CUDNN_GRU_DOT_INLINE IntVec sumOfPairs(IntVec sum, Shorts products) {
    return addInts(sum, addInts(shiftRight<16>(shiftLeft<16>((IntVec)products)), shiftRight<16>((IntVec)products)));
  }
  CUDNN_GRU_DOT_INLINE Sum dot(Sum sum, IntVec weights, const int32_t* activations) {
    const Shorts both = (Shorts)weights;
    const Shorts even = (Shorts)(both << 8) >> 8, odd = both >> 8;  // bytes 0 and 2, 1 and 3
    const IntVec a = broadcastInt(activations[0]), b = broadcastInt(activations[1]);
#if CUDNN_GRU_SIMD_CODE == 2
    return addInts(sum, addInts(_mm256_madd_epi16((IntVec)even, a), _mm256_madd_epi16((IntVec)odd, b)));
#else
    return sumOfPairs(sum, even * (Shorts)a + odd * (Shorts)b);
#endif
  }
#endif
  CUDNN_GRU_DOT_INLINE Sum start(const GruQuantizedProduct& product, int64_t at) {
    return loadInts(product.corrections + at);
  }
  CUDNN_GRU_DOT_INLINE Vec finish(const GruQuantizedProduct& product, int64_t row, int64_t at, Sum sum) {
    const Vec scale = broadcast(product.rowScales[row]) * load(product.scales + at);
    return fma(toFloats(sum), scale, load(product.biases + at));
  }
};

struct Bfloat16 {
  using Sum = Vec;
#if CUDNN_GRU_SIMD_CODE == 3
  static constexpr int kActivationWords = 1;
  CUDNN_GRU_DOT_INLINE Sum dot(Sum sum, IntVec weights, const int32_t* activations) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32(activations[0]), (__m512bh)weights);
  }
#else
  static constexpr int kActivationWords = 2;  // as float32
  CUDNN_GRU_DOT_INLINE Sum dot(Sum sum, IntVec weights, const int32_t* activations) {
    const Vec first = fromBits(shiftLeft<16>(weights));
    const Vec second = fromBits(andInts(weights, broadcastInt(int32_t(0xffff0000))));
    sum = fma(second, fromBits(broadcastInt(activations[1])), sum);
    return fma(first, fromBits(broadcastInt(activations[0])), sum);
  }
#endif
  CUDNN_GRU_DOT_INLINE Sum start(const GruQuantizedProduct& product, int64_t at) { return load(product.biases + at); }
  CUDNN_GRU_DOT_INLINE Vec finish(const GruQuantizedProduct&, int64_t, int64_t, Sum sum) { return sum; }
};

// Some rows times panels side by side. Each sum is one chain in ascending k, whatever the tile.
template <class Format, int rows, int panelCount>
CUDNN_GRU_DOT_TARGET static void tile(const GruQuantizedProduct& product, int64_t row, int64_t panel) {
  constexpr int kVectors = panelCount * kGates, kRowWords = kGates * kWidth;
  const int64_t panelWords = product.depth * kRowWords, first = panel * kRowWords;
  typename Format::Sum sum[rows][kVectors];
  for (int v = 0; v < kVectors; ++v)
    for (int r = 0; r < rows; ++r) sum[r][v] = Format::start(product, first + v * kWidth);
  const int32_t* weights = product.panels + panel * panelWords;
  const int32_t* activations[rows];
  for (int r = 0; r < rows; ++r) activations[r] = product.activations[row + r];
  for (int64_t k = 0; k < product.depth; ++k, weights += kRowWords)
    for (int v = 0; v < kVectors; ++v) {
      const IntVec w = loadInts(weights + v / kGates * panelWords + v % kGates * kWidth);
      for (int r = 0; r < rows; ++r)
        sum[r][v] = Format::dot(sum[r][v], w, activations[r] + k * Format::kActivationWords);
    }
  for (int v = 0; v < kVectors; ++v)
    for (int r = 0; r < rows; ++r) {
      const int64_t at = first + v * kWidth;
      store(product.out[row + r] + at, Format::finish(product, row + r, at, sum[r][v]));
    }
}

// A row alone would wait for each sum to finish: there several panels give independent ones.
template <class Format>
static void multiply(const GruQuantizedProduct& product) {
  constexpr int kSideBySide = CUDNN_GRU_SIMD_CODE == 3 ? 4 : 2;
  int64_t panel = product.firstPanel;
  if (product.rows == 1)
    for (; panel + kSideBySide <= product.lastPanel; panel += kSideBySide)
      tile<Format, 1, kSideBySide>(product, 0, panel);
  for (; panel < product.lastPanel; ++panel) {
    int64_t row = 0;
    for (; row + 4 <= product.rows; row += 4) tile<Format, 4, 1>(product, row, panel);
    if (row + 2 <= product.rows) {
      tile<Format, 2, 1>(product, row, panel);
      row += 2;
    }
    if (row < product.rows) tile<Format, 1, 1>(product, row, panel);
  }
}

static void gates(const GruQuantizedGates& step) {
  for (int64_t panel = step.firstPanel; panel < step.lastPanel; ++panel) {
    const float* input = step.input + panel * kGates * kWidth;
    const float* recurrent = step.recurrent + panel * kGates * kWidth;
    const int64_t unit = panel * kWidth, lanes = step.hiddenSize - unit;
    const Vec reset = sigmoid(load(input) + load(recurrent));
    const Vec update = sigmoid(load(input + kWidth) + load(recurrent + kWidth));
    const Vec n = tanh(fma(reset, load(recurrent + 2 * kWidth), load(input + 2 * kWidth)));
    Vec next = fma(update, readLanes(step.hidden + unit, lanes) - n, n);
    if (step.bounded) next = max(broadcast(-1.0f), min(broadcast(1.0f), next));  // NaN stays
    if (lanes < kWidth)
      storePartial(step.next + unit, lanes, next);
    else
      store(step.next + unit, next);
  }
}

const GruQuantizedKernels& gruInt8Table() {
  static constexpr GruQuantizedKernels table{kWidth,      kInt8Words,     kInt8Shift, stateToInt8,
                                             inputToInt8, multiply<Int8>, gates};
  return table;
}

const GruQuantizedKernels& gruBfloat16Table() {
  static constexpr GruQuantizedKernels table{kWidth,     Bfloat16::kActivationWords, 0,    toBfloat16,
                                             toBfloat16, multiply<Bfloat16>,         gates};
  return table;
}

}  // namespace cudnn_gru::CUDNN_GRU_SIMD_NAMESPACE
