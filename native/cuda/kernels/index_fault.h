#pragma once

namespace cudnn_gru {

// What a kernel found in its data and cannot throw: an index outside its table. It lies in memory of the host that the
// GPU sees; the next copy to the host, and whoever waits for the device, reports it once. A kernel writes it, `kind`
// last, only while `kind` is none; which one of several is kept does not matter.
struct IndexFault {
  enum Kind : int { kNone = 0, kEmbeddingId = 1, kCrossEntropyTarget = 2 };
  volatile int kind;
  volatile int position;  // of the index in its array
  volatile int index;
  volatile int limit;  // it should be below
};

}  // namespace cudnn_gru
