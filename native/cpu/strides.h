#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace cudnn_gru {

// Steps through the positions of `dims` in order, and keeps the offset of each in two strided tensors.
class StridedWalk {
 public:
  StridedWalk(std::vector<int64_t> dims, std::vector<int64_t> aStrides, std::vector<int64_t> bStrides)
      : dims_(std::move(dims)), aStrides_(std::move(aStrides)), bStrides_(std::move(bStrides)), index_(dims_.size()) {}

  void seek(int64_t position) {
    a_ = b_ = 0;
    for (size_t d = dims_.size(); d-- > 0;) {
      index_[d] = position % dims_[d];
      position /= dims_[d];
      a_ += index_[d] * aStrides_[d];
      b_ += index_[d] * bStrides_[d];
    }
  }

  void next() {
    for (size_t d = dims_.size(); d-- > 0;) {
      a_ += aStrides_[d];
      b_ += bStrides_[d];
      if (++index_[d] < dims_[d]) return;
      a_ -= dims_[d] * aStrides_[d];
      b_ -= dims_[d] * bStrides_[d];
      index_[d] = 0;
    }
  }

  int64_t a() const { return a_; }
  int64_t b() const { return b_; }

 private:
  std::vector<int64_t> dims_, aStrides_, bStrides_, index_;
  int64_t a_ = 0, b_ = 0;
};

}  // namespace cudnn_gru
