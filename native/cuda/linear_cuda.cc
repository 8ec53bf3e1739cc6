#include "cuda/cuda_device.h"
#include "cuda/kernels/reduce.h"
#include "cuda/kernels/sums.h"
#include "cuda/matrix_product.h"
#include "device/scratch.h"

namespace cudnn_gru {

void CudaDevice::linear(const ops::Linear& operation) {
  MatrixProduct product;
  product.m = operation.rows;
  product.n = operation.outputSize;
  product.k = operation.inputSize;
  product.precision = operation.precision;
  product.a = operation.x.floats();
  product.b = operation.weight.floats();
  product.transposeB = true;
  product.bias = operation.bias.floatsOrNull();
  product.c = operation.y.floats();
  matrixProducts().multiply(product);
}

void CudaDevice::linearBackward(const ops::LinearBackward& operation) {
  const int64_t rows = operation.rows, in = operation.inputSize, out = operation.outputSize;
  const float* yGrad = operation.yGrad.floats();
  if (operation.xGrad) {
    MatrixProduct product;
    product.m = rows;
    product.n = in;
    product.k = out;
    product.precision = operation.precision;
    product.a = yGrad;
    product.b = operation.weight.floats();
    product.c = operation.xGrad.floats();
    matrixProducts().multiply(product);
  }
  if (operation.weightGrad) {
    MatrixProduct product;
    product.m = out;
    product.n = in;
    product.k = rows;
    product.precision = operation.precision;
    product.a = yGrad;
    product.transposeA = true;
    product.b = operation.x.floats();
    product.c = operation.weightGrad.floats();
    matrixProducts().multiply(product);
  }
  if (operation.biasGrad) {
    const Doubles scratch(*this, kernels::columnSumsScratch(rows, out));
    CUDNN_GRU_CUDA(kernels::sumOverRows(yGrad, operation.biasGrad.floats(), rows, out, scratch.data(), stream()));
  }
}

void CudaDevice::matmul(const ops::Matmul& operation) {
  MatrixProduct product;
  product.batch = operation.batch;
  product.m = operation.m;
  product.n = operation.n;
  product.k = operation.k;
  product.precision = operation.precision;
  product.a = operation.a.floats();
  product.transposeA = operation.transposeA;
  product.b = operation.b.floats();
  product.transposeB = operation.transposeB;
  product.c = operation.c.floats();
  matrixProducts().multiply(product);
}

}  // namespace cudnn_gru
