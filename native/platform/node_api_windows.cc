// Node-API on Windows, for a binary made by a cross compiler. Its functions lie in the program that loads the addon,
// whatever that program is called (node.exe, a renamed one, deno.exe), so no import library can name it: the addon
// looks them up by itself when it is loaded.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

namespace {

constexpr int kGenericFailure = 9;  // napi_generic_failure

// What an older Node-API than the addon's lacks.
int missing() { return kGenericFailure; }

}  // namespace

// Node's headers declare every function as imported, so each call goes through a pointer of this name.
#define NODE_API_FUNCTION(name) extern "C" void* __imp_##name = reinterpret_cast<void*>(&missing);
#include "node_api_functions.h"
#undef NODE_API_FUNCTION

namespace {

void find(void*& pointer, const char* name) {
  if (FARPROC function = GetProcAddress(GetModuleHandleW(nullptr), name)) pointer = reinterpret_cast<void*>(function);
}

__attribute__((constructor)) void findAll() {
#define NODE_API_FUNCTION(name) find(__imp_##name, #name);
#include "node_api_functions.h"
#undef NODE_API_FUNCTION
}

}  // namespace
