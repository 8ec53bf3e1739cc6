#pragma once

#include <napi.h>

namespace cudnn_gru {

// Adds what moves numbers between JavaScript and a device, and what waits for a device:
//   upload(device, data, handle)                    a new buffer with the numbers of a Float32Array or Int32Array
//   divide(handle, handles, offsets, counts)        new views of parts of the memory that `handle` sees
//   write(handle, data)                             replaces a view's contents, in the queue's order
//   read(handle, data) -> Promise                   copies a view into `data`, after everything queued before
//   readSync(handle, data)                          the same, waiting for it
//   release(handles)                                gives handles back
//   drain(device, depth) -> Promise | undefined     resolves when at most `depth` commands wait to be launched, with 0
//   when
//                                                   everything has run; undefined: already so
//   pending(device) -> number
void exportTransfers(Napi::Env env, Napi::Object exports);

}  // namespace cudnn_gru
