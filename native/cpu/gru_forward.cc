#include "cpu/gru_forward.h"

#include <algorithm>

#include "cpu/simd/gemm_kernels.h"
#include "cpu/simd/gru_kernels.h"

namespace cudnn_gru {
namespace {

// What a part projects ahead should stay in the second cache beside the weights: so many floats, and no more rows than
// pay for reading the input's weights. A few rows' steps are so short that reading these weights seldom pays more.
constexpr int64_t kProjectedFloats = 64 * 1024;
constexpr int64_t rowsAhead(int64_t rows) { return rows <= 4 ? 64 : 16; }

// One part's pointers and memory, made before the parts start: they must not throw.
struct Workspace {
  std::vector<const float*> x, hidden, projected, recurrent;
  std::vector<float*> next, gates, projectedRows;
  float* projection = nullptr;  // [rows of a chunk of steps][panels][3][width]
  float* candidates = nullptr;  // reset before, in inference: gates of one step, [batch, 4, hiddenSize]
};

struct LayerRun {
  const std::vector<GruCell>& cells;
  const std::vector<GruWeights>& weights;
  GruSplit split;
  int64_t chunk;  // steps whose input is projected ahead; 1: the input is multiplied in the step itself
};

struct Part {
  int index;
  Barrier* barrier;
};

// The input is projected ahead, for several steps at once, when a single step's rows would not pay for reading its
// weights.
int64_t chooseChunk(const GruCell& cell, const GruSplit& split) {
  const GruOrder& order = *cell.order;
  if (order.steps < 2) return 1;
  const int64_t rows = split.rowsOf(0, order.running[0]);
  if (cell.inputSize <= 2 * rows) return 1;
  const int64_t floats = gruPanels(cell.hiddenSize) * 3 * gemmKernels().width;
  const int64_t steps = std::min(kProjectedFloats / (rows * floats), (rowsAhead(rows) + rows - 1) / rows);
  return std::clamp<int64_t>(steps, 1, order.steps);
}

struct Units {
  int64_t begin, end;
};

// A part's units, in multiples of `unit`: all of them when the rows are shared out.
Units unitsOf(const GruSplit& split, int part, int64_t count, int64_t unit) {
  if (split.byRows) return {0, count};
  const int64_t units = (count + unit - 1) / unit;
  return {std::min(count, units * part / split.parts * unit), std::min(count, units * (part + 1) / split.parts * unit)};
}

void projectAhead(const LayerRun& run, const GruCell& cell, const GruWeights& weights, const Part& part, int64_t step,
                  Workspace& space) {
  const int64_t panels = gruPanels(cell.hiddenSize), floats = panels * 3 * gemmKernels().width;
  const Units own = unitsOf(run.split, part.index, panels, 1);
  int64_t count = 0;
  for (int64_t s = step; s < std::min(step + run.chunk, cell.order->steps); ++s) {
    const int64_t rows = run.split.rowsOf(part.index, cell.order->running[s]);
    for (int64_t i = 0; i < rows; ++i, ++count) {
      space.x[count] = cell.xAt(s, run.split.place(part.index, i));
      space.projectedRows[count] = space.projection + count * floats;
      space.projected[count] = space.projectedRows[count];
    }
  }
  gruKernels().project({count, cell.inputSize, space.x.data(), space.projectedRows.data(), weights.input,
                        weights.biases.data(), own.begin, own.end});
}

void runAfter(const LayerRun& run, const GruCell& cell, const GruWeights& weights, const Part& part, Workspace& space) {
  const GruOrder& order = *cell.order;
  const Units own = unitsOf(run.split, part.index, gruPanels(cell.hiddenSize), 1);
  int64_t projected = 0;  // rows of the chunk already used
  for (int64_t s = 0; s < order.steps; ++s) {
    const int64_t rows = run.split.rowsOf(part.index, order.running[s]);
    if (run.chunk > 1 && s % run.chunk == 0) {
      projectAhead(run, cell, weights, part, s, space);
      projected = 0;
    }
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t place = run.split.place(part.index, i);
      if (run.chunk == 1) space.x[i] = cell.xAt(s, place);
      space.hidden[i] = cell.hiddenBefore(s, place);
      space.next[i] = cell.outputAt(s, place);
      if (cell.gates) space.gates[i] = cell.gatesAt(s, place);
    }
    GruStep step{};
    step.rows = rows;
    step.inputSize = cell.inputSize;
    step.hiddenSize = cell.hiddenSize;
    step.x = space.x.data();
    step.projected = run.chunk > 1 ? space.projected.data() + projected : nullptr;
    step.hidden = space.hidden.data();
    step.next = space.next.data();
    step.gates = cell.gates ? space.gates.data() : nullptr;
    step.inputPanels = weights.input;
    step.hiddenPanels = weights.hidden;
    step.biases = weights.biases.data();
    step.firstPanel = own.begin;
    step.lastPanel = own.end;
    gruKernels().stepAfter(step);
    projected += rows;
    if (!run.split.byRows) part.barrier->wait();
  }
}

void runBefore(const LayerRun& run, const GruCell& cell, const GruWeights& weights, const Part& part,
               Workspace& space) {
  const GruOrder& order = *cell.order;
  const int64_t h = cell.hiddenSize;
  const Units own = unitsOf(run.split, part.index, h, gemmKernels().panelColumns);
  for (int64_t s = 0; s < order.steps; ++s) {
    const int64_t rows = run.split.rowsOf(part.index, order.running[s]);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t place = run.split.place(part.index, i);
      space.x[i] = cell.xAt(s, place);
      space.hidden[i] = cell.hiddenBefore(s, place);
      space.next[i] = cell.outputAt(s, place);
      space.gates[i] = cell.gates ? cell.gatesAt(s, place) : space.candidates + place * 4 * h;
      space.recurrent[i] = space.gates[i] + 3 * h;
    }
    GruGateStep step{};
    step.rows = rows;
    step.inputSize = cell.inputSize;
    step.hiddenSize = h;
    step.x = space.x.data();
    step.hidden = space.hidden.data();
    step.recurrent = space.hidden.data();
    step.next = space.next.data();
    step.gates = space.gates.data();
    step.begin = own.begin;
    step.end = own.end;
    const auto useGate = [&](int64_t gate) {
      step.inputPanels = weights.inputGate(gate);
      step.hiddenPanels = weights.hiddenGate(gate);
      step.bias = weights.biases.data() + gate * h;
    };
    useGate(0);
    gruKernels().resetGateBefore(step);
    useGate(1);
    gruKernels().updateGateBefore(step);
    if (!run.split.byRows) part.barrier->wait();
    useGate(2);
    step.recurrent = space.recurrent.data();
    gruKernels().candidateBefore(step);
    if (!run.split.byRows) part.barrier->wait();
  }
}

}  // namespace

void runGruLayer(CpuDevice& device, const std::vector<GruCell>& cells, const std::vector<GruWeights>& weights,
                 bool resetBefore) {
  const GruCell& cell = cells[0];
  const GruOrder& order = *cell.order;
  if (order.steps == 0) return;
  const int64_t h = cell.hiddenSize, batch = int64_t(order.rows.size());
  const GruSplit split =
      chooseSplit(device.team().size(), int64_t(cells.size()), order, 3 * h * (cell.inputSize + h),
                  resetBefore ? (h + gemmKernels().panelColumns - 1) / gemmKernels().panelColumns : gruPanels(h));
  const LayerRun run{cells, weights, split, resetBefore ? 1 : chooseChunk(cell, split)};

  // By rows every part projects its own rows; by units the parts of a group fill their panels of the same rows.
  const int64_t rows = split.rowsOf(0, order.running[0]);
  const int64_t projection = run.chunk > 1 ? run.chunk * rows * gruPanels(h) * 3 * gemmKernels().width : 0;
  const int64_t candidates = resetBefore && !cell.gates ? batch * 4 * h : 0;
  const int projections = split.byRows ? split.groups * split.parts : split.groups;
  Scratch scratch(device, projections * projection + split.groups * candidates);
  std::vector<Workspace> spaces(split.groups * split.parts);
  for (int i = 0; i < int(spaces.size()); ++i) {
    Workspace& space = spaces[i];
    const int group = i / split.parts;
    for (auto* pointers : {&space.x, &space.projected}) pointers->resize(rows * run.chunk);
    for (auto* pointers : {&space.hidden, &space.recurrent}) pointers->resize(rows);
    for (auto* pointers : {&space.next, &space.gates}) pointers->resize(rows);
    space.projectedRows.resize(rows * run.chunk);
    space.projection = scratch.floats() + (split.byRows ? i : group) * projection;
    space.candidates = scratch.floats() + projections * projection + group * candidates;
  }
  std::vector<std::unique_ptr<Barrier>> barriers;
  for (int group = 0; group < split.groups; ++group) barriers.push_back(std::make_unique<Barrier>(split.parts));

  device.team().parallelFor(int(spaces.size()), [&](int i) {
    const int group = i / split.parts;
    const Part part{i % split.parts, barriers[group].get()};
    for (size_t d = group; d < cells.size(); d += split.groups)
      (resetBefore ? runBefore : runAfter)(run, cells[d], weights[d], part, spaces[i]);
  });
}

}  // namespace cudnn_gru
