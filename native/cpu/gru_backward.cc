#include "cpu/gru_backward.h"

#include <algorithm>
#include <memory>

#include "cpu/simd/gemm_kernels.h"
#include "cpu/simd/gru_kernels.h"

namespace cudnn_gru {
namespace {

// One part's pointers, made before the parts start: they must not throw.
struct Workspace {
  std::vector<const float*> later, hidden, outputGrad;
  std::vector<float*> gates, carry;
};

struct Part {
  int index;
  Barrier* barrier;
  int64_t begin, end;  // units
};

void meet(const GruSplit& split, const Part& part) {
  if (!split.byRows) part.barrier->wait();
}

// The gradient of the state before step 0 joins what reached it directly.
void finish(const GruCellBackward& backward, const GruSplit& split, const Part& part, bool resetBefore,
            Workspace& space) {
  const GruCell& cell = backward.cell;
  const int64_t h = cell.hiddenSize, rows = split.rowsOf(part.index, cell.order->running[0]);
  for (int64_t i = 0; i < rows; ++i) space.later[i] = cell.gatesAt(0, split.place(part.index, i));
  GemmBlock block{};
  block.a = space.later.data();
  block.aOffset = h;
  block.aStride = 1;
  block.depth = block.panelDepth = resetBefore ? 2 * h : 3 * h;
  block.panels = backward.weights.state + part.begin * block.depth;
  block.rows = rows;
  block.columns = part.end - part.begin;
  block.c = space.carry.data();
  block.cOffset = part.begin;
  block.accumulate = true;
  if (block.columns > 0) gemmKernels().multiply(block);
}

void runPart(const GruCellBackward& backward, const GruSplit& split, const Part& part, bool resetBefore,
             Workspace& space) {
  const GruCell& cell = backward.cell;
  const GruOrder& order = *cell.order;
  const GruBackwardKernels& kernels = gruBackwardKernels();
  const int64_t h = cell.hiddenSize;
  for (int64_t i = 0; i < split.rowsOf(part.index, order.running[0]); ++i)
    space.carry[i] = backward.carry + order.rows[split.place(part.index, i)] * h;
  for (int64_t s = order.steps - 1; s >= 0; --s) {
    const int64_t rows = split.rowsOf(part.index, order.running[s]);
    const int64_t continued = s + 1 < order.steps ? split.rowsOf(part.index, order.running[s + 1]) : 0;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t place = split.place(part.index, i);
      space.hidden[i] = cell.hiddenBefore(s, place);
      space.gates[i] = cell.gatesAt(s, place);
      if (i < continued) space.later[i] = cell.gatesAt(s + 1, place);
      if (backward.outputGrad.data)
        space.outputGrad[i] = backward.outputGrad.at(cell.time(s, place), order.rows[place]);
    }
    // Rows whose sequence ends here have no later step.
    for (const bool ending : {false, true}) {
      const int64_t from = ending ? continued : 0;
      GruBackwardStep step{};
      step.rows = (ending ? rows : continued) - from;
      step.hiddenSize = h;
      step.later = space.later.data() + from;
      step.laterOffset = h;
      step.depth = ending ? 0 : resetBefore ? 2 * h : 3 * h;
      step.panels = backward.weights.state;
      step.carry = space.carry.data() + from;
      step.outputGrad = backward.outputGrad.data ? space.outputGrad.data() + from : nullptr;
      step.hidden = space.hidden.data() + from;
      step.gates = space.gates.data() + from;
      step.begin = part.begin;
      step.end = part.end;
      (resetBefore ? kernels.stepBefore : kernels.stepAfter)(step);
    }
    meet(split, part);
    if (!resetBefore) continue;
    GruBackwardStep step{};
    step.rows = rows;
    step.hiddenSize = h;
    for (int64_t i = 0; i < rows; ++i) space.later[i] = space.gates[i];
    step.later = space.later.data();
    step.depth = h;
    step.panels = backward.weights.reset;
    step.carry = space.carry.data();
    step.hidden = space.hidden.data();
    step.gates = space.gates.data();
    step.begin = part.begin;
    step.end = part.end;
    kernels.resetBefore(step);
    meet(split, part);
  }
  finish(backward, split, part, resetBefore, space);
}

}  // namespace

void runGruLayerBackward(CpuDevice& device, std::vector<GruCellBackward>& cells, bool resetBefore) {
  const GruCell& cell = cells[0].cell;
  const GruOrder& order = *cell.order;
  if (order.steps == 0) return;
  const int64_t h = cell.hiddenSize, width = gemmKernels().panelColumns, panels = (h + width - 1) / width;
  const GruSplit split = chooseSplit(device.team().size(), int64_t(cells.size()), order, 3 * h * h, panels);
  const int64_t rows = split.rowsOf(0, order.running[0]);
  std::vector<Workspace> spaces(split.groups * split.parts);
  for (Workspace& space : spaces) {
    for (auto* pointers : {&space.later, &space.hidden, &space.outputGrad}) pointers->resize(rows);
    for (auto* pointers : {&space.gates, &space.carry}) pointers->resize(rows);
  }
  std::vector<std::unique_ptr<Barrier>> barriers;
  for (int group = 0; group < split.groups; ++group) barriers.push_back(std::make_unique<Barrier>(split.parts));
  device.team().parallelFor(int(spaces.size()), [&](int i) {
    Part part{i % split.parts, barriers[i / split.parts].get(), 0, h};
    if (!split.byRows) {
      part.begin = std::min(h, panels * part.index / split.parts * width);
      part.end = std::min(h, panels * (part.index + 1) / split.parts * width);
    }
    for (size_t d = i / split.parts; d < cells.size(); d += split.groups)
      runPart(cells[d], split, part, resetBefore, spaces[i]);
  });
}

}  // namespace cudnn_gru
