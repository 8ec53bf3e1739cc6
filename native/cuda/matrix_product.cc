#include "cuda/matrix_product.h"

#include <utility>

#include "cuda/alignment.h"
#include "cuda/axes.h"
#include "cuda/cuda_device.h"
#include "cuda/kernels/broadcast.h"
#include "cuda/kernels/convert.h"
#include "device/scratch.h"

namespace cudnn_gru {
namespace {

using ops::Precision;

constexpr size_t kMostWorkspace = 32 << 20;  // bytes; what NVIDIA recommends for its largest GPUs
constexpr size_t kMostPlans = 1024;  // then all are forgotten: a new length in every batch must not fill the memory

bool isHalf(Precision precision) { return precision == Precision::kFloat16 || precision == Precision::kBfloat16; }

cudaDataType_t typeOf(Precision precision) {
  switch (precision) {
    case Precision::kFloat16:
      return CUDA_R_16F;
    case Precision::kBfloat16:
      return CUDA_R_16BF;
    default:
      return CUDA_R_32F;
  }
}

// The numbers in 16 bits.
Scratch rounded(CudaDevice& device, const float* x, int64_t count, Precision precision) {
  Scratch halves(device, size_t(count), 2);
  CUDNN_GRU_CUDA(precision == Precision::kFloat16 ? kernels::toFloat16(x, halves.data(), count, device.stream())
                                                  : kernels::toBfloat16(x, halves.data(), count, device.stream()));
  return halves;
}

// Descriptors that destroy themselves.
struct Description {
  cublasLtMatmulDesc_t value = nullptr;
  Description(cublasComputeType_t compute) {
    CUDNN_GRU_CUDA(cublasLt().cublasLtMatmulDescCreate(&value, compute, CUDA_R_32F));
  }
  Description(Description&& other) noexcept : value(std::exchange(other.value, nullptr)) {}
  ~Description() {
    if (value) cublasLt().cublasLtMatmulDescDestroy(value);
  }
  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, const Value& to) {
    CUDNN_GRU_CUDA(cublasLt().cublasLtMatmulDescSetAttribute(value, attribute, &to, sizeof to));
  }
};

// `batch` matrices in column-major order, one after the other.
struct Layout {
  cublasLtMatrixLayout_t value = nullptr;
  Layout(cudaDataType_t type, int64_t rows, int64_t columns, int64_t batch) {
    CUDNN_GRU_CUDA(cublasLt().cublasLtMatrixLayoutCreate(&value, type, uint64_t(rows), uint64_t(columns), rows));
    const int32_t count = int32_t(batch);
    const int64_t stride = rows * columns;
    set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, count);
    set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
  }
  Layout(Layout&& other) noexcept : value(std::exchange(other.value, nullptr)) {}
  ~Layout() {
    if (value) cublasLt().cublasLtMatrixLayoutDestroy(value);
  }
  template <class Value>
  void set(cublasLtMatrixLayoutAttribute_t attribute, const Value& to) {
    CUDNN_GRU_CUDA(cublasLt().cublasLtMatrixLayoutSetAttribute(value, attribute, &to, sizeof to));
  }
};

struct Preference {
  cublasLtMatmulPreference_t value = nullptr;
  explicit Preference(uint32_t alignment) {
    CUDNN_GRU_CUDA(cublasLt().cublasLtMatmulPreferenceCreate(&value));
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMostWorkspace);
    for (const auto attribute :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      set(attribute, alignment);
  }
  Preference(const Preference&) = delete;
  ~Preference() {
    if (value) cublasLt().cublasLtMatmulPreferenceDestroy(value);
  }
  template <class Value>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const Value& to) {
    CUDNN_GRU_CUDA(cublasLt().cublasLtMatmulPreferenceSetAttribute(value, attribute, &to, sizeof to));
  }
};

}  // namespace

// How one shape is multiplied. cuBLASLt thinks in column-major order, in which a row-major matrix is its transpose: it
// computes cᵀ = op(b)ᵀ op(a)ᵀ, so `left` is b.
struct MatrixProducts::Plan {
  Description description;
  Layout left, right, result;
  cublasLtMatmulAlgo_t algorithm{};
  size_t workspace = 0;
  bool addsBias = false;  // in the product itself
};

MatrixProducts::MatrixProducts(CudaDevice& device) : device_(device) {}
MatrixProducts::~MatrixProducts() = default;

MatrixProducts::Plan& MatrixProducts::planOf(const MatrixProduct& product, const void* a, const void* b) {
  const bool aligned = isAligned(a) && isAligned(b) && isAligned(product.c);
  // No preference tells the heuristic how a bias is aligned: kernels may read it 16 bytes at a time.
  const bool fusesBias = product.bias && isAligned(product.bias);
  const Key key{product.batch,
                product.m,
                product.n,
                product.k,
                product.transposeA,
                product.transposeB,
                int64_t(product.precision),
                fusesBias,
                aligned};
  const auto found = plans_.find(key);
  if (found != plans_.end()) return found->second;
  if (plans_.size() == kMostPlans) plans_.clear();

  const cudaDataType_t type = typeOf(product.precision);
  const auto layout = [&](bool transposed, int64_t rows, int64_t columns, cudaDataType_t of) {
    return transposed ? Layout(of, rows, columns, product.batch) : Layout(of, columns, rows, product.batch);
  };
  Plan plan{Description(product.precision == Precision::kTf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F),
            layout(product.transposeB, product.k, product.n, type),
            layout(product.transposeA, product.m, product.k, type), layout(false, product.m, product.n, CUDA_R_32F)};
  plan.description.set(CUBLASLT_MATMUL_DESC_TRANSA, product.transposeB ? CUBLAS_OP_T : CUBLAS_OP_N);
  plan.description.set(CUBLASLT_MATMUL_DESC_TRANSB, product.transposeA ? CUBLAS_OP_T : CUBLAS_OP_N);

  const Preference preference(uint32_t(aligned ? kAlignment : isHalf(product.precision) ? 2 : sizeof(float)));
  cublasLtMatmulHeuristicResult_t result{};
  const auto choose = [&] {
    int results = 0;
    const cublasStatus_t status = cublasLt().cublasLtMatmulAlgoGetHeuristic(
        device_.cublasLtHandle(), plan.description.value, plan.left.value, plan.right.value, plan.result.value,
        plan.result.value, preference.value, 1, &result, &results);
    if (status != CUBLAS_STATUS_NOT_SUPPORTED && status != CUBLAS_STATUS_ARCH_MISMATCH) CUDNN_GRU_CUDA(status);
    return status == CUBLAS_STATUS_SUCCESS && results > 0 && result.state == CUBLAS_STATUS_SUCCESS;
  };
  if (fusesBias) {
    // The heuristic looks at the bias's address.
    plan.description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    plan.description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, product.bias);
    plan.addsBias = choose();
    if (!plan.addsBias) plan.description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
  }
  if (!plan.addsBias && !choose())
    throw Error("ERR_UNSUPPORTED", "cuBLASLt has no algorithm for a product of [" + std::to_string(product.m) + ", " +
                                       std::to_string(product.k) + "] and [" + std::to_string(product.k) + ", " +
                                       std::to_string(product.n) + "]" +
                                       (product.precision == Precision::kBfloat16 && device_.computeCapability() < 80
                                            ? " in 'bfloat16' below compute capability 8.0: compute in 'float16'"
                                            : ""));
  plan.algorithm = result.algo;
  plan.workspace = result.workspaceSize;
  return plans_.emplace(key, std::move(plan)).first->second;
}

void MatrixProducts::multiply(const MatrixProduct& product) {
  const int64_t aCount = product.batch * product.m * product.k, bCount = product.batch * product.k * product.n;
  const int64_t cCount = product.batch * product.m * product.n;
  const cudaStream_t stream = device_.stream();
  const auto addBias = [&] {
    const auto axes = axesOf({product.m, product.n}, {product.n, 1}, {0, 1});
    CUDNN_GRU_CUDA(kernels::addBroadcast(product.c, product.bias, product.c, axes, cCount, stream));
  };
  if (cCount == 0) return;
  if (product.k == 0) {
    CUDNN_GRU_CUDA(cudaMemsetAsync(product.c, 0, size_t(cCount) * sizeof(float), stream));
    if (product.bias) addBias();
    return;
  }
  Scratch halfA, halfB;
  const void *a = product.a, *b = product.b;
  if (isHalf(product.precision)) {
    halfA = rounded(device_, product.a, aCount, product.precision);
    halfB = rounded(device_, product.b, bCount, product.precision);
    a = halfA.data();
    b = halfB.data();
  }
  Plan& plan = planOf(product, a, b);
  if (plan.addsBias) plan.description.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, product.bias);
  const Scratch workspace(device_, plan.workspace, 1);
  const float one = 1, zero = 0;
  CUDNN_GRU_CUDA(cublasLt().cublasLtMatmul(
      device_.cublasLtHandle(), plan.description.value, &one, b, plan.left.value, a, plan.right.value, &zero, product.c,
      plan.result.value, product.c, plan.result.value, &plan.algorithm, workspace.data(), plan.workspace, stream));
  if (product.bias && !plan.addsBias) addBias();
}

}  // namespace cudnn_gru
