// A library that says what it is told when it is compiled, with a function for each name of -DNAMES="X(cudnnCreate) ...": as the driver
// (-DDRIVER=13000), cuBLASLt (-DCUBLAS_LT=13000) or one of cuDNN's: libcudnn_graph (-DCUDNN=91400 -DCUDNN_CUDART=13000), libcudnn_ops
// (-DOPS=91400), libcudnn_adv (-DADV=91400), or libcudnn itself (-DSHIM), which is not to be called.
#include <stddef.h>
#include <stdlib.h>

#ifdef SHIM
#define X(name) \
  int name(void) { abort(); }
#else
#define X(name) \
  int name(void) { return 0; }
#endif
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
// As NVIDIA's, it leaves something for its thread to destroy, and until then stays in the process.
int __cxa_thread_atexit_impl(void (*)(void*), void*, void*);
extern void* __dso_handle;
static void destroy(void* nothing) {}
size_t cudnnGetVersion(void) {
  __cxa_thread_atexit_impl(destroy, NULL, &__dso_handle);
  return CUDNN;
}
size_t cudnnGetCudartVersion(void) { return CUDNN_CUDART; }
#endif
#ifdef OPS
size_t cudnnGetVersion(void);
int cudnnOpsVersionCheck(void) { return cudnnGetVersion() == OPS ? 0 : 1002; }
#endif
#ifdef ADV
size_t cudnnGetVersion(void);
int cudnnAdvVersionCheck(void) { return cudnnGetVersion() == ADV ? 0 : 1002; }
#endif
#ifdef NEEDS_ABSENT
int absentFunction(void);
int needsAbsent(void) { return absentFunction(); }
#endif
