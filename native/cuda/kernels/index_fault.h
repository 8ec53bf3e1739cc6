#pragma once

namespace cudnn_gru {

// What a kernel found in its data and cannot throw: an index outside its table. It lies in memory of the host that the
// GPU sees; the next copy to the host, and whoever waits for the device, reports it once. Which one of several is kept
// does not matter.
struct IndexFault {
  enum Kind : int { kNone = 0, kEmbeddingId = 1, kCrossEntropyTarget = 2, kCtcLabel = 3 };
  volatile int kind;
  volatile int limit;                         // the index should be below
  volatile unsigned long long positionIndex;  // the index's position in its array << 32 | the index: written at once
};

}  // namespace cudnn_gru
