// A library that says what it is told when it is compiled: as the driver (-DDRIVER=13000), cuBLASLt (-DCUBLAS_LT=13000) or cuDNN
// (-DCUDNN=91400 -DCUDNN_CUDART=13000), with a function for each name of -DNAMES="X(cudnnCreate) ...".
#include <stddef.h>

#define X(name) \
  int name(void) { return 0; }
NAMES
#undef X

#ifdef DRIVER
int cuDriverGetVersion(int* version) {
  *version = DRIVER;
  return 0;
}
#endif
#ifdef CUBLAS_LT
size_t cublasLtGetVersion(void) { return CUBLAS_LT / 1000 * 10000; }
size_t cublasLtGetCudartVersion(void) { return CUBLAS_LT; }
#endif
#ifdef CUDNN
size_t cudnnGetVersion(void) { return CUDNN; }
size_t cudnnGetCudartVersion(void) { return CUDNN_CUDART; }
#endif
#ifdef NEEDS_ABSENT
int absentFunction(void);
int needsAbsent(void) { return absentFunction(); }
#endif
