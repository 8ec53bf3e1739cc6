#include "cpu/gru_quantized.h"

#include <algorithm>

#include "cpu/packed_weights.h"
#include "cpu/parallel.h"

namespace cudnn_gru {
namespace {

// What a part projects ahead should stay in the second cache beside the weights.
constexpr int64_t kProjectedFloats = 64 * 1024;
// Rows whose sums wait for their gates.
constexpr int64_t kRowsTogether = 16;

int64_t panelsOf(int64_t hiddenSize, int64_t width) { return (hiddenSize + width - 1) / width; }

// to[panel][gate][lane] = from[gate * hiddenSize + unit], 0 for missing units
std::vector<float> interleaved(const View* from, int64_t hiddenSize, int64_t width) {
  const int64_t count = panelsOf(hiddenSize, width) * 3 * width;
  std::vector<float> to(count, 0.0f);
  if (!from) return to;
  for (int64_t gate = 0; gate < 3; ++gate)
    for (int64_t unit = 0; unit < hiddenSize; ++unit)
      to[(unit / width * 3 + gate) * width + unit % width] = from->floats()[gate * hiddenSize + unit];
  return to;
}

int32_t sumOfInt8(int32_t word) {
  int32_t sum = 0;
  for (int shift = 0; shift < 32; shift += 8) sum += int8_t(uint32_t(word) >> shift);
  return sum;
}

QuantizedMatrix packMatrix(CpuDevice& device, const ops::GruQuantized& operation, int64_t index, int64_t columns) {
  const GruQuantizedKernels& kernels = gruQuantizedKernels(operation.int8);
  const int64_t h = operation.hiddenSize, width = kernels.width, panels = panelsOf(h, width);
  const int64_t depth = operation.wordsOf(columns), sums = panels * 3 * width;
  const View& words = operation.words[index];
  const std::string kind = (operation.int8 ? "gru int8 " : "gru bfloat16 ") + std::to_string(columns);
  const float* packed = packedWeights(device, words, kind, sums * (depth + 1), [&](float* memory) {
    int32_t* to = reinterpret_cast<int32_t*>(memory);
    int32_t* corrections = to + sums * depth;
    parallelRanges(device.team(), panels, rowGrain(3 * width * depth), [&](int64_t begin, int64_t end) {
      for (int64_t lane = begin * 3 * width; lane < end * 3 * width; ++lane) {
        const int64_t panel = lane / (3 * width), inPanel = lane % (3 * width);
        const int64_t unit = panel * width + inPanel % width;
        const int32_t* from = unit < h ? words.ints() + (inPanel / width * h + unit) * depth : nullptr;
        int32_t sum = 0;
        for (int64_t k = 0; k < depth; ++k) {
          const int32_t word = from ? from[k] : 0;
          to[(panel * depth + k) * 3 * width + inPanel] = word;
          sum += sumOfInt8(word);
        }
        corrections[lane] = -kernels.activationShift * sum;
      }
    });
  });
  const int32_t* data = reinterpret_cast<const int32_t*>(packed);
  return {depth, data, data + sums * depth, interleaved(operation.int8 ? &operation.scales[index] : nullptr, h, width),
          interleaved(operation.hasBias ? &operation.biases[index] : nullptr, h, width)};
}

// One part's pointers and memory, made before the parts start: they must not throw.
struct Workspace {
  std::vector<int32_t> quantized;  // rows of activations
  std::vector<const int32_t*> activations;
  std::vector<float> rowScales;
  std::vector<float*> projected, recurrent;
};

struct LayerRun {
  const GruQuantizedKernels& kernels;
  bool int8;
  GruSplit split;
  int64_t panels;
  int64_t chunk;     // steps whose input is projected together
  int64_t rowWords;  // memory of a quantized row

  int64_t rowFloats() const { return panels * 3 * kernels.width; }
};

struct Part {
  int index;
  Barrier* barrier;
  int64_t firstPanel, lastPanel;
};

void multiply(const LayerRun& run, const QuantizedMatrix& matrix, const Part& part, int64_t rows, Workspace& space,
              float* const* out) {
  run.kernels.multiply({rows, matrix.depth, space.activations.data(), space.rowScales.data(), out, matrix.panels,
                        matrix.corrections, matrix.scales.data(), matrix.biases.data(), part.firstPanel,
                        part.lastPanel});
}

void project(const LayerRun& run, const GruCell& cell, const QuantizedWeights& weights, const Part& part, int64_t step,
             Workspace& space) {
  int64_t count = 0;
  for (int64_t s = step; s < std::min(step + run.chunk, cell.order->steps); ++s)
    for (int64_t i = 0; i < run.split.rowsOf(part.index, cell.order->running[s]); ++i, ++count) {
      const float* x = cell.xAt(s, run.split.place(part.index, i));
      int32_t* to = space.quantized.data() + count * run.rowWords;
      space.rowScales[count] = run.kernels.quantizeInput(x, cell.inputSize, to);
    }
  multiply(run, weights.input, part, count, space, space.projected.data());
}

void runCell(const LayerRun& run, const GruCell& cell, const QuantizedWeights& weights, const Part& part,
             Workspace& space) {
  const GruOrder& order = *cell.order;
  int64_t used = 0;  // rows of the chunk
  for (int64_t s = 0; s < order.steps; ++s) {
    if (s % run.chunk == 0) {
      project(run, cell, weights, part, s, space);
      used = 0;
    }
    const int64_t rows = run.split.rowsOf(part.index, order.running[s]);
    for (int64_t first = 0; first < rows; first += kRowsTogether) {
      const int64_t count = std::min(kRowsTogether, rows - first);
      for (int64_t i = 0; i < count; ++i) {
        const float* hidden = cell.hiddenBefore(s, run.split.place(part.index, first + i));
        int32_t* to = space.quantized.data() + i * run.rowWords;
        space.rowScales[i] = run.kernels.quantizeState(hidden, cell.hiddenSize, to);
      }
      multiply(run, weights.hidden, part, count, space, space.recurrent.data());
      for (int64_t i = 0; i < count; ++i) {
        const int64_t place = run.split.place(part.index, first + i);
        run.kernels.gates({space.projected[used + first + i], space.recurrent[i], cell.hiddenBefore(s, place),
                           cell.outputAt(s, place), cell.hiddenSize, run.int8, part.firstPanel, part.lastPanel});
      }
    }
    used += rows;
    if (!run.split.byRows) part.barrier->wait();
  }
}

}  // namespace

const GruQuantizedKernels& gruQuantizedKernels(bool int8) {
#if CUDNN_GRU_X86
  if (int8 ? dotProducts().int8 : dotProducts().bfloat16)
    return int8 ? simd_avx512::gruInt8Table() : simd_avx512::gruBfloat16Table();
  if (instructionSet() != InstructionSet::kBaseline)
    return int8 ? simd_avx2::gruInt8Table() : simd_avx2::gruBfloat16Table();
#endif
  return int8 ? simd_baseline::gruInt8Table() : simd_baseline::gruBfloat16Table();
}

QuantizedWeights packQuantizedWeights(CpuDevice& device, const ops::GruQuantized& operation, int64_t cell) {
  return {packMatrix(device, operation, 2 * cell, operation.layerInputSize(cell / operation.directions)),
          packMatrix(device, operation, 2 * cell + 1, operation.hiddenSize)};
}

void runQuantizedLayer(CpuDevice& device, bool int8, const std::vector<GruCell>& cells,
                       const std::vector<QuantizedWeights>& weights) {
  const GruCell& cell = cells[0];
  const GruOrder& order = *cell.order;
  if (order.steps == 0) return;
  const GruQuantizedKernels& kernels = gruQuantizedKernels(int8);
  const int64_t panels = panelsOf(cell.hiddenSize, kernels.width),
                words = weights[0].input.depth + weights[0].hidden.depth;
  const GruSplit split =
      chooseSplit(device.team().size(), int64_t(cells.size()), order, 3 * cell.hiddenSize * words, panels);
  LayerRun run{kernels, int8, split, panels, 1, 0};
  const int64_t rows = split.rowsOf(0, order.running[0]);
  // Whole tiles of 4 rows; at least one step.
  run.chunk = std::min(order.steps, std::max<int64_t>(1, kProjectedFloats / (rows * run.rowFloats()) / 4 * 4));
  run.rowWords = std::max(weights[0].input.depth, weights[0].hidden.depth) * kernels.activationWords + 16;

  const int64_t ahead = run.chunk * rows, together = std::min(rows, kRowsTogether);
  // By rows every part has sums of its own; by units the parts of a group fill their panels of the same ones.
  const int sums = split.byRows ? split.groups * split.parts : split.groups;
  Scratch scratch(device, sums * (ahead + together) * run.rowFloats());
  std::vector<Workspace> spaces(split.groups * split.parts);
  for (int i = 0; i < int(spaces.size()); ++i) {
    Workspace& space = spaces[i];
    space.quantized.assign(std::max(ahead, together) * run.rowWords, 0);
    space.rowScales.resize(std::max(ahead, together));
    float* memory = scratch.floats() + (split.byRows ? i : i / split.parts) * (ahead + together) * run.rowFloats();
    for (int64_t row = 0; row < std::max(ahead, together); ++row)
      space.activations.push_back(space.quantized.data() + row * run.rowWords);
    for (int64_t row = 0; row < ahead; ++row) space.projected.push_back(memory + row * run.rowFloats());
    for (int64_t row = 0; row < together; ++row) space.recurrent.push_back(memory + (ahead + row) * run.rowFloats());
  }
  std::vector<std::unique_ptr<Barrier>> barriers;
  for (int group = 0; group < split.groups; ++group) barriers.push_back(std::make_unique<Barrier>(split.parts));

  device.team().parallelFor(int(spaces.size()), [&](int i) {
    const int group = i / split.parts, index = i % split.parts;
    const Part part{index, barriers[group].get(), split.byRows ? 0 : panels * index / split.parts,
                    split.byRows ? panels : panels * (index + 1) / split.parts};
    for (size_t d = group; d < cells.size(); d += split.groups) runCell(run, cells[d], weights[d], part, spaces[i]);
  });
}

}  // namespace cudnn_gru
