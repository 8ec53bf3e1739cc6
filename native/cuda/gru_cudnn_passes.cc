#include "cuda/alignment.h"
#include "cuda/gru_conversions.h"
#include "cuda/gru_cudnn.h"
#include "cuda/gru_weight_block.h"

namespace cudnn_gru {

void GruCudnn::runForward(const GruRun& run, const ops::GruShape& shape, const GruForwardTensors& tensors, char* area) {
  const void* below = nullptr;  // the output of the segment below
  for (const GruSegment& segment : run.segments()) {
    const GruStack& stack = segment.configuration.stack();
    const bool isLast = &segment == &run.last();
    const void* x = tensors.x;
    if (segment.ownX) {
      x = area + segment.xAt;
      if (below)
        run.dropout(below, area + segment.xAt, segment.firstLayer - 1);
      else
        run.sequenceIn(tensors.x, area + segment.xAt, stack.inputSize);
      run.clearEmptyRows(area + segment.xAt, stack.inputSize);
    }
    const int64_t states = run.stateElements(segment), stateAt = run.stateAt(segment);
    const void* initialHidden = tensors.initialHidden ? tensors.initialHidden + stateAt : nullptr;
    if (segment.ownInitialHidden) {
      run.stateIn(tensors.initialHidden + stateAt, area + segment.initialHiddenAt, states);
      run.clearEmptyStates(area + segment.initialHiddenAt, segment.layers * stack.directions);
      initialHidden = area + segment.initialHiddenAt;
    }
    void* y = segment.ownY ? static_cast<void*>(area + segment.yAt) : tensors.output;
    Scratch ownHidden;
    void* hidden = tensors.hidden + stateAt;
    const bool copiesHidden = run.copies(tensors.hidden + stateAt);
    if (copiesHidden) {
      ownHidden = Scratch(device_, size_t(states), run.elementBytes());
      hidden = ownHidden.data();
    }
    const GruWeightBlock weights(device_, shape.weights, segment.firstLayer * shape.directions * shape.weightsPerCell(),
                                 segment.configuration);
    const Scratch workspace(device_, segment.workspaceBytes, 1);
    CUDNN_GRU_CUDA(cudnn().cudnnRNNForward(
        handle(), segment.configuration.rnn(), run.training() ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
        run.lengths(), segment.descriptors.x, x, segment.descriptors.y, y, segment.descriptors.h, initialHidden, hidden,
        segment.descriptors.h, nullptr, nullptr, segment.configuration.weightBytes(), weights.data(), workspace.bytes(),
        workspace.data(), run.training() ? segment.reserveBytes : 0,
        run.training() ? area + segment.reserveAt : nullptr));
    if (copiesHidden) run.stateOut(hidden, tensors.hidden + stateAt, states);
    if (isLast && segment.ownY) run.sequenceOut(y, tensors.output, run.features());
    below = y;
  }
  if (!run.hasEmptyRows()) return;
  run.clearEmptyOutputs(tensors.output);
  run.passEmptyStates(tensors.initialHidden, tensors.hidden, shape.layers * shape.directions);
}

void GruCudnn::runBackward(const GruRun& run, const ops::GruShape& shape, const GruBackwardTensors& tensors,
                           char* area) {
  const int64_t features = run.features(), stacked = shape.layers * shape.directions;
  const int64_t outputElements = run.sequenceElements(features);
  std::optional<GradientScale> scale;
  if (run.precision() == ops::Precision::kFloat16)
    scale.emplace(device_, tensors.outputGrad, outputElements, tensors.hiddenGrad,
                  stacked * shape.batch * shape.hiddenSize, run.sequenceElements(1));
  const float* factor = scale ? scale->factor() : nullptr;
  const float* inverse = scale ? scale->inverse() : nullptr;

  // The gradient of the last segment's output.
  Scratch ownOutputGrad;
  void* outputGrad = const_cast<float*>(tensors.outputGrad);
  if (!tensors.outputGrad || run.converts() || run.hasEmptyRows() || !isAligned(tensors.outputGrad)) {
    ownOutputGrad = Scratch(device_, size_t(outputElements), run.elementBytes());
    outputGrad = ownOutputGrad.data();
    if (tensors.outputGrad)
      run.sequenceIn(tensors.outputGrad, outputGrad, features, factor);
    else
      CUDNN_GRU_CUDA(cudaMemsetAsync(outputGrad, 0, ownOutputGrad.bytes(), device_.stream()));
    run.clearEmptyRows(outputGrad, features);
  }

  float* weightGradSpace = tensors.weightGradSpace;
  const auto& segments = run.segments();
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    const GruStack& stack = segment->configuration.stack();
    const bool isFirst = segment->firstLayer == 0;
    const int64_t states = run.stateElements(*segment), stateAt = run.stateAt(*segment);
    const int64_t inputElements = run.sequenceElements(stack.inputSize);
    const void* x = segment->ownX ? static_cast<const void*>(area + segment->xAt) : tensors.x;
    const void* y = segment->ownY ? static_cast<const void*>(area + segment->yAt) : tensors.output;
    const void* initialHidden = segment->ownInitialHidden ? static_cast<const void*>(area + segment->initialHiddenAt)
                                : tensors.initialHidden   ? tensors.initialHidden + stateAt
                                                          : nullptr;
    Scratch ownHiddenGrad;
    const void* hiddenGrad = tensors.hiddenGrad ? tensors.hiddenGrad + stateAt : nullptr;
    if (tensors.hiddenGrad && (run.hasEmptyRows() || run.copies(tensors.hiddenGrad + stateAt))) {
      ownHiddenGrad = Scratch(device_, size_t(states), run.elementBytes());
      run.stateIn(tensors.hiddenGrad + stateAt, ownHiddenGrad.data(), states, factor);
      run.clearEmptyStates(ownHiddenGrad.data(), segment->layers * stack.directions);
      hiddenGrad = ownHiddenGrad.data();
    }
    // cuDNN always computes the input's gradient.
    const bool direct = isFirst && tensors.xGrad && !run.converts() && isAligned(tensors.xGrad);
    Scratch ownXGrad;
    void* xGrad = tensors.xGrad;
    if (!direct) {
      ownXGrad = Scratch(device_, size_t(inputElements), run.elementBytes());
      xGrad = ownXGrad.data();
    }
    if (run.hasPadding())
      CUDNN_GRU_CUDA(cudaMemsetAsync(xGrad, 0, size_t(inputElements) * run.elementBytes(), device_.stream()));
    Scratch ownInitialHiddenGrad;
    float* const wantedHiddenGrad = tensors.initialHiddenGrad ? tensors.initialHiddenGrad + stateAt : nullptr;
    void* initialHiddenGrad = wantedHiddenGrad;
    if (run.copies(wantedHiddenGrad)) {
      ownInitialHiddenGrad = Scratch(device_, size_t(states), run.elementBytes());
      initialHiddenGrad = ownInitialHiddenGrad.data();
    }

    const int64_t firstWeight = segment->firstLayer * shape.directions * shape.weightsPerCell();
    const GruWeightBlock weights(device_, shape.weights, firstWeight, segment->configuration);
    const Scratch workspace(device_, segment->workspaceBytes, 1);
    const size_t weightBytes = segment->configuration.weightBytes();
    void* reserve = area + segment->reserveAt;
    CUDNN_GRU_CUDA(cudnn().cudnnRNNBackwardData_v8(
        handle(), segment->configuration.rnn(), run.lengths(), segment->descriptors.y, y, outputGrad,
        segment->descriptors.x, xGrad, segment->descriptors.h, initialHidden, hiddenGrad, initialHiddenGrad,
        segment->descriptors.h, nullptr, nullptr, nullptr, weightBytes, weights.data(), workspace.bytes(),
        workspace.data(), segment->reserveBytes, reserve));
    if (tensors.weightGrads || weightGradSpace) {
      GruGradientBlock gradients(device_, tensors.weightGrads, firstWeight, segment->configuration, weightGradSpace);
      CUDNN_GRU_CUDA(cudnn().cudnnRNNBackwardWeights_v8(
          handle(), segment->configuration.rnn(), CUDNN_WGRAD_MODE_ADD, run.lengths(), segment->descriptors.x, x,
          segment->descriptors.h, initialHidden, segment->descriptors.y, y, weightBytes, gradients.data(),
          workspace.bytes(), workspace.data(), segment->reserveBytes, reserve));
      gradients.finish(inverse);
      if (weightGradSpace) weightGradSpace += GruGradientBlock::spaceFor(segment->configuration);
    }
    if (initialHiddenGrad != wantedHiddenGrad) run.stateOut(initialHiddenGrad, wantedHiddenGrad, states, inverse);
    if (isFirst && tensors.xGrad && !direct) run.sequenceOut(xGrad, tensors.xGrad, stack.inputSize, inverse);
    if (!isFirst) {
      run.dropout(xGrad, xGrad, segment->firstLayer - 1);
      ownOutputGrad = std::move(ownXGrad);
      outputGrad = ownOutputGrad.data();
    }
  }
  if (run.hasEmptyRows() && tensors.initialHiddenGrad)
    run.passEmptyStates(tensors.hiddenGrad, tensors.initialHiddenGrad, stacked);
}

}  // namespace cudnn_gru
