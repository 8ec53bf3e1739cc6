#include "cpu/gru_state.h"

#include <algorithm>
#include <cmath>

#include "cpu/parallel.h"
#include "cpu/simd/random_kernels.h"

namespace cudnn_gru {

void applyGruDropout(CpuDevice& device, const ops::GruShape& shape, int64_t layer, const float* x, float* y) {
  const int64_t count = shape.time * shape.batch * shape.directions * shape.hiddenSize, blocks = (count + 3) / 4;
  const uint64_t offset = shape.offset + uint64_t(layer * blocks);
  const uint32_t threshold = uint32_t(std::min(std::ceil(shape.dropout * 0x1p32), 0x1p32 - 1));
  const float scale = float(1 / (1 - shape.dropout));
  parallelRanges(device.team(), blocks, rowGrain(4), [&](int64_t begin, int64_t end) {
    const int64_t first = 4 * begin;
    randomKernels().dropout(shape.seed, offset + uint64_t(begin), threshold, scale, x + first,
                            std::min(count, 4 * end) - first, y + first);
  });
}

void zeroPadding(const ops::GruSizes& shape, const Sequence& sequence, int64_t features) {
  for (int64_t row = 0; row < shape.batch; ++row)
    for (int64_t time = shape.lengthOf(row); time < shape.time; ++time)
      std::fill_n(sequence.at(time, row), features, 0.0f);
}

void copyFinalState(const GruCell& cell, float* to) {
  for (size_t place = 0; place < cell.order->rows.size(); ++place) {
    const float* from = cell.hiddenBefore(cell.order->lengths[place], int64_t(place));
    std::copy_n(from, cell.hiddenSize, to + cell.order->rows[place] * cell.hiddenSize);
  }
}

}  // namespace cudnn_gru
