// A stand-in for what the backend uses of cuBLASLt: plain sums of products, and the checks that the real one makes.
#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>
#include <vector>

#include "stream.h"

namespace {

struct Description {
  cublasComputeType_t compute;
  cublasOperation_t transposeA = CUBLAS_OP_N, transposeB = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const float* bias = nullptr;
};

struct Layout {
  cudaDataType_t type;
  uint64_t rows, columns;
  int64_t leading;
  int32_t batch = 1;
  int64_t stride = 0;  // elements
};

struct Preference {
  size_t workspace = 0;
  uint32_t alignment = 256;  // bytes, of any matrix
};

// In the opaque data of an algorithm.
struct Chosen {
  uint64_t workspace, alignment;
};

constexpr size_t kWorkspace = 512;

template <class Own, class Opaque>
const Own& own(const Opaque* opaque) {
  return *reinterpret_cast<const Own*>(opaque);
}

template <class Own, class Opaque>
cublasStatus_t destroy(Opaque* opaque) {
  delete reinterpret_cast<Own*>(opaque);
  return CUBLAS_STATUS_SUCCESS;
}

template <class Field>
cublasStatus_t set(Field& field, const void* value, size_t bytes) {
  if (bytes != sizeof field) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&field, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

uint64_t rowsOf(const Layout& layout, bool transposed) { return transposed ? layout.columns : layout.rows; }
uint64_t columnsOf(const Layout& layout, bool transposed) { return transposed ? layout.rows : layout.columns; }

// The product as it is asked for.
struct Product {
  Description description;
  Layout a, b, d;

  bool fits() const {
    const bool ta = description.transposeA == CUBLAS_OP_T, tb = description.transposeB == CUBLAS_OP_T;
    return rowsOf(a, ta) == d.rows && columnsOf(b, tb) == d.columns && columnsOf(a, ta) == rowsOf(b, tb) &&
           a.type == b.type && d.type == CUDA_R_32F && a.batch == d.batch && b.batch == d.batch &&
           a.leading >= int64_t(a.rows) && b.leading >= int64_t(b.rows) && d.leading >= int64_t(d.rows);
  }
};

Product productOf(cublasLtMatmulDesc_t description, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                  cublasLtMatrixLayout_t d) {
  return {own<Description>(description), own<Layout>(a), own<Layout>(b), own<Layout>(d)};
}

// A matrix as float32, column by column of op(matrix), rounded as the precision has it.
std::vector<float> numbersOf(const void* data, const Layout& layout, bool transposed, int32_t matrix,
                             cublasComputeType_t compute) {
  const auto read = [&](int64_t at) -> float {
    if (layout.type == CUDA_R_16F) return __half2float(static_cast<const __half*>(data)[at]);
    if (layout.type == CUDA_R_16BF) return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[at]);
    float x = static_cast<const float*>(data)[at];
    if (compute != CUBLAS_COMPUTE_32F_FAST_TF32 || x - x != 0) return x;
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;  // to 10 bits of mantissa, ties to even
    std::memcpy(&x, &bits, sizeof bits);
    return x;
  };
  const int64_t rows = int64_t(rowsOf(layout, transposed)), columns = int64_t(columnsOf(layout, transposed));
  std::vector<float> numbers(size_t(rows * columns));
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = 0; r < rows; ++r)
      numbers[size_t(c * rows + r)] =
          read(matrix * layout.stride + (transposed ? r * layout.leading + c : c * layout.leading + r));
  return numbers;
}

void multiply(const Product& product, const void* a, const void* b, float* d) {
  const int64_t m = int64_t(product.d.rows), n = int64_t(product.d.columns);
  const bool transposeA = product.description.transposeA == CUBLAS_OP_T;
  const bool transposeB = product.description.transposeB == CUBLAS_OP_T;
  const int64_t k = int64_t(columnsOf(product.a, transposeA));
  for (int32_t matrix = 0; matrix < product.d.batch; ++matrix) {
    const auto left = numbersOf(a, product.a, transposeA, matrix, product.description.compute);
    const auto right = numbersOf(b, product.b, transposeB, matrix, product.description.compute);
    std::vector<double> sums(size_t(m), 0.0);
    for (int64_t c = 0; c < n; ++c) {
      for (int64_t r = 0; r < m; ++r)
        sums[size_t(r)] =
            product.description.epilogue == CUBLASLT_EPILOGUE_BIAS ? double(product.description.bias[r]) : 0.0;
      for (int64_t i = 0; i < k; ++i) {
        const double factor = double(right[size_t(c * k + i)]);
        for (int64_t r = 0; r < m; ++r) sums[size_t(r)] += factor * double(left[size_t(i * m + r)]);
      }
      float* to = d + matrix * product.d.stride + c * product.d.leading;
      for (int64_t r = 0; r < m; ++r) to[r] = float(sums[size_t(r)]);
    }
  }
}

bool isMultiple(const void* pointer, uint64_t alignment) {
  return reinterpret_cast<uintptr_t>(pointer) % alignment == 0;
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(new char);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return destroy<char>(handle); }
size_t cublasLtGetVersion() { return 130000; }
size_t cublasLtGetCudartVersion() { return 13000; }
const char* cublasLtGetStatusString(cublasStatus_t) { return "an error of the stand-in for cuBLASLt"; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* description, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  if (scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  *description = reinterpret_cast<cublasLtMatmulDesc_t>(new Description{compute});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) { return destroy<Description>(description); }
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t opaque, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  Description& description = *reinterpret_cast<Description*>(opaque);
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(description.transposeA, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return set(description.transposeB, value, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(description.epilogue, value, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return set(description.bias, value, bytes);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t leading) {
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{type, rows, columns, leading});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return destroy<Layout>(layout); }
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t opaque,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* value,
                                                size_t bytes) {
  Layout& layout = *reinterpret_cast<Layout*>(opaque);
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return set(layout.batch, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return set(layout.stride, value, bytes);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  return destroy<Preference>(preference);
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t opaque,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    size_t bytes) {
  Preference& preference = *reinterpret_cast<Preference*>(opaque);
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return set(preference.workspace, value, bytes);
  uint32_t alignment = 0;
  const cublasStatus_t status = set(alignment, value, bytes);
  if (alignment < preference.alignment) preference.alignment = alignment;
  return status;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t description,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  const Product product = productOf(description, a, b, d);
  *count = 0;
  if (!product.fits()) return CUBLAS_STATUS_INVALID_VALUE;
  // Somewhere the real one has no algorithm with a bias: for vectors, say.
  if (product.description.epilogue == CUBLASLT_EPILOGUE_BIAS && product.d.rows == 1) return CUBLAS_STATUS_NOT_SUPPORTED;
  // Whether the real one computes in bfloat16 on a GPU without units for it is not known.
  cudaDeviceProp gpu;
  if (product.a.type == CUDA_R_16BF && cudaGetDeviceProperties(&gpu, 0) == cudaSuccess && gpu.major < 8)
    return CUBLAS_STATUS_ARCH_MISMATCH;
  const Preference& wanted = own<Preference>(preference);
  const Chosen chosen{wanted.workspace < kWorkspace ? wanted.workspace : kWorkspace, wanted.alignment};
  results[0] = {};
  std::memcpy(results[0].algo.data, &chosen, sizeof chosen);
  results[0].workspaceSize = chosen.workspace;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t aLayout, const void* b, cublasLtMatrixLayout_t bLayout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t, void* d,
                              cublasLtMatrixLayout_t dLayout, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              size_t workspaceBytes, cudaStream_t stream) {
  const Product product = productOf(description, aLayout, bLayout, dLayout);
  Chosen chosen;
  std::memcpy(&chosen, algorithm->data, sizeof chosen);
  float factors[2];
  std::memcpy(&factors[0], alpha, sizeof(float));
  std::memcpy(&factors[1], beta, sizeof(float));
  if (!product.fits() || c != d || factors[0] != 1 || factors[1] != 0 || workspaceBytes < chosen.workspace ||
      (chosen.workspace > 0 && !workspace) || !isMultiple(a, chosen.alignment) || !isMultiple(b, chosen.alignment) ||
      !isMultiple(d, chosen.alignment) ||
      // The real one may read it 16 bytes at a time, and then the device is lost.
      (product.description.epilogue == CUBLASLT_EPILOGUE_BIAS && !isMultiple(product.description.bias, 16)))
    return CUBLAS_STATUS_INVALID_VALUE;
  cuda_emulation::addToStream(stream, [=] {
    if (chosen.workspace > 0) std::memset(workspace, 0xee, chosen.workspace);
    multiply(product, a, b, static_cast<float*>(d));
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
