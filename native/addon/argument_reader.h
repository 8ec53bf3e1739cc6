#pragma once

#include <napi.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "addon/environment.h"
#include "device/operation_command.h"

namespace cudnn_gru {

// Reads an operation's arguments from a JavaScript call, in the order in which the operation's `fields` declares them
// (the words are explained in ops/operation_table.h), checks every size, and collects what the command reads and
// writes. Handles of new buffers come into being in `commit`, when every argument has been found good.
class ArgumentReader {
 public:
  using Dims = std::initializer_list<int64_t>;

  ArgumentReader(Environment& environment, napi_env env, napi_callback_info info);

  void commit(Bindings& bindings);
  // To the device's queue, or to the program that is being recorded. Returns how many commands wait in the queue.
  size_t submit(std::unique_ptr<Command> command);

  void extent(int64_t& value, const char* name);
  void size(int64_t& value, const char* name);
  void choice(int64_t& value, const char* name, int64_t choices);
  template <class Word>
  void choice(Word& word, const char* name, int64_t choices) {
    int64_t value;
    choice(value, name, choices);
    word = Word(value);
  }
  void number(double& value, const char* name);
  void flag(bool& value, const char* name);
  void seed(uint64_t& value, const char* name);
  void hostInts(std::vector<int64_t>& values, const char* name, int64_t count);

  void in(View& view, const char* name, Dims dims) { read(view, name, dims, DType::kFloat32); }
  void inInts(View& view, const char* name, Dims dims) { read(view, name, dims, DType::kInt32); }
  void inAny(View& view, const char* name, Dims dims);
  void optionalIn(View& view, const char* name, Dims dims);
  void inList(std::vector<View>& views, const char* name) { readList(views, name, DType::kFloat32); }
  void inIntsList(std::vector<View>& views, const char* name) { readList(views, name, DType::kInt32); }
  void inListLike(std::vector<View>& views, const char* name, const std::vector<View>& others);
  void parts(std::vector<View>& views, const char* name, int64_t outer, const std::vector<int64_t>& lengths,
             int64_t inner, int64_t length);

  void inOut(View& view, const char* name, Dims dims);
  void inOutInts(View& view, const char* name, Dims dims);
  void inOutAny(View& view, const char* name, Dims dims);
  void inOutSaved(View& view, const char* name);
  void inOutList(std::vector<View>& views, const char* name);
  void inOutListLike(std::vector<View>& views, const char* name, const std::vector<View>& others);
  void optionalInOutListLike(std::vector<View>& views, const char* name, const std::vector<View>& others);

  void out(View& view, const char* name, Dims dims) { create(view, name, product(name, dims), DType::kFloat32); }
  void outInts(View& view, const char* name, Dims dims) { create(view, name, product(name, dims), DType::kInt32); }
  void outLike(View& view, const char* name, Dims dims, const std::vector<View>& others);
  void optionalOut(View& view, const char* name, Dims dims);
  void optionalSaved(View& view, const char* name);
  void optionalOutListLike(std::vector<View>& views, const char* name, const std::vector<View>& others);

  void require(bool condition, const char* what) { CUDNN_GRU_CHECK(condition, what); }
  void expect(const View& view, const char* name, Dims dims);
  // Indexing over dims with these strides stays inside `count` elements.
  void strided(const char* name, const std::vector<int64_t>& dims, const std::vector<int64_t>& strides, int64_t count);
  // The product of dims is `count`.
  void contiguous(const char* name, const std::vector<int64_t>& dims, int64_t count);

 private:
  napi_value next(const char* name);
  double nextNumber(const char* name);
  std::vector<double> nextHandles(const char* name);
  static bool areSideBySide(const std::vector<View>& views);
  static int64_t product(const char* name, Dims dims);
  void take(View& view, const char* name, double handle);
  void read(View& view, const char* name, Dims dims, DType dtype);
  void readList(std::vector<View>& views, const char* name, DType dtype);
  void create(View& view, const char* name, int64_t count, DType dtype);

  static constexpr size_t kMaxArguments = 40;

  Environment& environment_;
  napi_env env_;
  napi_value arguments_[kMaxArguments];
  size_t count_ = kMaxArguments, position_ = 0;
  Queue* queue_ = nullptr;
  std::shared_ptr<Device> device_;  // of the operation: the queue's, or that of the program that is being recorded
  Bindings bindings_;
  std::vector<std::pair<double, View>> created_;
};

}  // namespace cudnn_gru
