# zig as a cross compiler. `scripts/prebuild/builder.mjs` gives the compiler (a script with the target in it) and the system.
set(CMAKE_SYSTEM_NAME $ENV{CUDNN_GRU_TARGET_SYSTEM})
set(CMAKE_CXX_COMPILER $ENV{CUDNN_GRU_TARGET_CXX})
set(CUDNN_GRU_ZIG ON)
