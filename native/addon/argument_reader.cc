#include "addon/argument_reader.h"

#include <algorithm>
#include <cmath>

#include "addon/program.h"

namespace cudnn_gru {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;
constexpr int64_t kMaxElements = int64_t(1) << 48;

}  // namespace

ArgumentReader::ArgumentReader(Environment& environment, napi_env env, napi_callback_info info)
    : environment_(environment), env_(env) {
  napi_get_cb_info(env, info, &count_, arguments_, nullptr, nullptr);
  CUDNN_GRU_CHECK(count_ <= kMaxArguments, "too many arguments");
  queue_ = &environment.queue(nextNumber("device"));
  if (Program* recording = environment.recording()) {
    CUDNN_GRU_CHECK(recording->isOf(*queue_), "an operation of another device while a step is recorded");
    device_ = recording->device();
  } else {
    device_ = queue_->sharedDevice();
  }
}

size_t ArgumentReader::submit(std::unique_ptr<Command> command) {
  Program* recording = environment_.recording();
  if (!recording) return queue_->runNow(*command) ? 0 : queue_->push(std::move(command));
  recording->record(std::move(command));
  return 0;
}

void ArgumentReader::commit(Bindings& bindings) {
  CUDNN_GRU_CHECK(position_ == count_, "more arguments than the operation has");
  size_t defined = 0;
  try {
    for (; defined < created_.size(); ++defined)
      environment_.define(created_[defined].first, std::move(created_[defined].second));
  } catch (...) {
    while (defined > 0) environment_.release(created_[--defined].first);
    throw;
  }
  bindings = std::move(bindings_);
}

napi_value ArgumentReader::next(const char* name) {
  CUDNN_GRU_CHECK(position_ < count_, std::string("missing argument ") + name);
  return arguments_[position_++];
}

double ArgumentReader::nextNumber(const char* name) {
  double value;
  CUDNN_GRU_CHECK(napi_get_value_double(env_, next(name), &value) == napi_ok, std::string(name) + " is not a number");
  return value;
}

void ArgumentReader::extent(int64_t& value, const char* name) {
  const double number = nextNumber(name);
  CUDNN_GRU_CHECK(number >= 0 && number <= double(kMaxElements) && number == std::floor(number), name);
  value = int64_t(number);
}

void ArgumentReader::size(int64_t& value, const char* name) {
  extent(value, name);
  CUDNN_GRU_CHECK(value >= 1, name);
}

void ArgumentReader::choice(int64_t& value, const char* name, int64_t choices) {
  extent(value, name);
  CUDNN_GRU_CHECK(value < choices, name);
}

void ArgumentReader::number(double& value, const char* name) { value = nextNumber(name); }

void ArgumentReader::flag(bool& value, const char* name) {
  CUDNN_GRU_CHECK(napi_get_value_bool(env_, next(name), &value) == napi_ok, std::string(name) + " is not a boolean");
}

void ArgumentReader::seed(uint64_t& value, const char* name) {
  const double number = nextNumber(name);
  CUDNN_GRU_CHECK(number >= 0 && number <= kMaxSafeInteger && number == std::floor(number), name);
  value = uint64_t(number);
}

void ArgumentReader::hostInts(std::vector<int64_t>& values, const char* name, int64_t count) {
  const napi_value argument = next(name);
  napi_valuetype type;
  napi_typeof(env_, argument, &type);
  if (type == napi_null) return;
  bool isTyped = false;
  napi_is_typedarray(env_, argument, &isTyped);
  CUDNN_GRU_CHECK(isTyped, std::string(name) + " is neither null nor a typed array");
  napi_typedarray_type elementType;
  size_t length;
  void* data;
  napi_get_typedarray_info(env_, argument, &elementType, &length, &data, nullptr, nullptr);
  CUDNN_GRU_CHECK(count < 0 || int64_t(length) == count, std::string(name) + " has the wrong length");
  if (elementType == napi_int32_array) {
    const int32_t* integers = static_cast<const int32_t*>(data);
    values.assign(integers, integers + length);
  } else {
    // Dimensions and strides may be larger than 32 bits.
    CUDNN_GRU_CHECK(elementType == napi_float64_array,
                    std::string(name) + " is neither an Int32Array nor a Float64Array");
    const double* numbers = static_cast<const double*>(data);
    for (size_t i = 0; i < length; ++i) {
      CUDNN_GRU_CHECK(std::abs(numbers[i]) <= double(kMaxElements) && numbers[i] == std::floor(numbers[i]), name);
      values.push_back(int64_t(numbers[i]));
    }
  }
}

std::vector<double> ArgumentReader::nextHandles(const char* name) {
  std::vector<int64_t> handles;
  hostInts(handles, name, -1);
  return std::vector<double>(handles.begin(), handles.end());
}

int64_t ArgumentReader::product(const char* name, Dims dims) {
  int64_t count = 1;
  bool empty = false;
  for (int64_t dim : dims) {
    CUDNN_GRU_CHECK(dim >= 0, name);
    if (dim == 0)
      empty = true;
    else
      CUDNN_GRU_CHECK((count = count <= kMaxElements / dim ? count * dim : -1) > 0,
                      std::string(name) + " is too large");
  }
  return empty ? 0 : count;
}

void ArgumentReader::expect(const View& view, const char* name, Dims dims) {
  CUDNN_GRU_CHECK(int64_t(view.count) == product(name, dims), std::string(name) + " has the wrong size");
}

void ArgumentReader::take(View& view, const char* name, double handle) {
  view = environment_.view(handle);
  if (Program* recording = environment_.recording()) view.buffer = recording->ownBuffer(view.buffer);
  if (&view.buffer->device() != device_.get())
    throw Error("ERR_DEVICE_MISMATCH", std::string(name) + " is on another device than the operation");
}

void ArgumentReader::read(View& view, const char* name, Dims dims, DType dtype) {
  inAny(view, name, dims);
  CUDNN_GRU_CHECK(view.dtype == dtype, std::string(name) + " has the wrong element type");
}

void ArgumentReader::inAny(View& view, const char* name, Dims dims) {
  take(view, name, nextNumber(name));
  expect(view, name, dims);
  bindings_.inputs.push_back(view.buffer.get());
}

void ArgumentReader::optionalIn(View& view, const char* name, Dims dims) {
  double handle;
  CUDNN_GRU_CHECK(position_ < count_ && napi_get_value_double(env_, arguments_[position_], &handle) == napi_ok, name);
  if (handle == 0)
    ++position_;
  else
    in(view, name, dims);
}

void ArgumentReader::readList(std::vector<View>& views, const char* name, DType dtype) {
  for (double handle : nextHandles(name)) {
    View view;
    take(view, name, handle);
    CUDNN_GRU_CHECK(view.dtype == dtype, std::string(name) + " has the wrong element type");
    bindings_.inputs.push_back(view.buffer.get());
    views.push_back(std::move(view));
  }
}

void ArgumentReader::inListLike(std::vector<View>& views, const char* name, const std::vector<View>& others) {
  inList(views, name);
  CUDNN_GRU_CHECK(views.size() == others.size(), std::string(name) + " has the wrong number of tensors");
  for (size_t i = 0; i < views.size(); ++i)
    CUDNN_GRU_CHECK(views[i].count == others[i].count, std::string(name) + " has a tensor of the wrong size");
}

void ArgumentReader::parts(std::vector<View>& views, const char* name, int64_t outer,
                           const std::vector<int64_t>& lengths, int64_t inner, int64_t length) {
  int64_t total = 0;
  for (double handle : nextHandles(name)) {
    View view;
    take(view, name, handle);
    bindings_.inputs.push_back(view.buffer.get());
    views.push_back(std::move(view));
  }
  CUDNN_GRU_CHECK(!views.empty() && views.size() == lengths.size(),
                  std::string(name) + " has the wrong number of tensors");
  for (size_t i = 0; i < views.size(); ++i) {
    expect(views[i], name, {outer, lengths[i], inner});
    CUDNN_GRU_CHECK(views[i].dtype == views[0].dtype, std::string(name) + " mixes element types");
    total += lengths[i];
  }
  CUDNN_GRU_CHECK(total == length, std::string(name) + " do not add up");
}

void ArgumentReader::inOutAny(View& view, const char* name, Dims dims) {
  take(view, name, nextNumber(name));
  expect(view, name, dims);
  bindings_.inPlace.push_back(view.buffer.get());
}

void ArgumentReader::inOut(View& view, const char* name, Dims dims) {
  inOutAny(view, name, dims);
  CUDNN_GRU_CHECK(view.dtype == DType::kFloat32, std::string(name) + " has the wrong element type");
}

void ArgumentReader::inOutInts(View& view, const char* name, Dims dims) {
  inOutAny(view, name, dims);
  CUDNN_GRU_CHECK(view.dtype == DType::kInt32, std::string(name) + " has the wrong element type");
}

void ArgumentReader::inOutSaved(View& view, const char* name) {
  take(view, name, nextNumber(name));
  bindings_.inPlace.push_back(view.buffer.get());
}

void ArgumentReader::inOutList(std::vector<View>& views, const char* name) {
  const size_t inputs = bindings_.inputs.size();
  inList(views, name);
  bindings_.inputs.resize(inputs);
  for (const View& view : views) bindings_.inPlace.push_back(view.buffer.get());
}

void ArgumentReader::inOutListLike(std::vector<View>& views, const char* name, const std::vector<View>& others) {
  inOutList(views, name);
  CUDNN_GRU_CHECK(views.size() == others.size(), std::string(name) + " has the wrong number of tensors");
  for (size_t i = 0; i < views.size(); ++i)
    CUDNN_GRU_CHECK(views[i].count == others[i].count, std::string(name) + " has a tensor of the wrong size");
}

void ArgumentReader::optionalInOutListLike(std::vector<View>& views, const char* name,
                                           const std::vector<View>& others) {
  napi_valuetype type;
  CUDNN_GRU_CHECK(position_ < count_, name);
  napi_typeof(env_, arguments_[position_], &type);
  if (type == napi_null)
    ++position_;
  else
    inOutListLike(views, name, others);
}

void ArgumentReader::create(View& view, const char* name, int64_t count, DType dtype) {
  const double handle = nextNumber(name);
  view = View{std::make_shared<Buffer>(device_, size_t(count) * bytesOf(dtype)), 0, size_t(count), dtype};
  bindings_.outputs.push_back(view.buffer.get());
  created_.emplace_back(handle, view);
}

void ArgumentReader::outLike(View& view, const char* name, Dims dims, const std::vector<View>& others) {
  create(view, name, product(name, dims), others.front().dtype);
}

void ArgumentReader::optionalOut(View& view, const char* name, Dims dims) {
  double handle;
  CUDNN_GRU_CHECK(position_ < count_ && napi_get_value_double(env_, arguments_[position_], &handle) == napi_ok, name);
  if (handle == 0)
    ++position_;
  else
    out(view, name, dims);
}

void ArgumentReader::optionalSaved(View& view, const char* name) { optionalOut(view, name, {0}); }

// In any order, nothing between them: no tensor is listed twice (tied weights), whose gradients would overwrite each
// other, and none of the block is left out, whose memory the gradients would hold for nothing.
bool ArgumentReader::areSideBySide(const std::vector<View>& views) {
  std::vector<std::pair<size_t, size_t>> ranges;
  for (const View& view : views) {
    if (view.buffer != views.front().buffer) return false;
    ranges.emplace_back(view.offset, view.offset + view.count);
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first != ranges[i - 1].second) return false;
  return true;
}

void ArgumentReader::optionalOutListLike(std::vector<View>& views, const char* name, const std::vector<View>& others) {
  const std::vector<double> handles = nextHandles(name);
  if (handles.empty()) return;
  CUDNN_GRU_CHECK(handles.size() == others.size(), std::string(name) + " has the wrong number of handles");
  const bool inTheirOrder = areSideBySide(others);
  size_t begin = others.front().offset, total = 0;
  for (const View& other : others) {
    begin = std::min(begin, other.offset);
    total += other.count;
  }
  const auto buffer = std::make_shared<Buffer>(device_, total * bytesOf(DType::kFloat32));
  bindings_.outputs.push_back(buffer.get());
  size_t offset = 0;
  for (size_t i = 0; i < others.size(); ++i) {
    const size_t at = inTheirOrder ? others[i].offset - begin : offset;
    views.push_back(View{buffer, at, others[i].count, DType::kFloat32});
    offset += others[i].count;
    created_.emplace_back(handles[i], views.back());
  }
}

void ArgumentReader::strided(const char* name, const std::vector<int64_t>& dims, const std::vector<int64_t>& strides,
                             int64_t count) {
  CUDNN_GRU_CHECK(dims.size() == strides.size(), std::string(name) + ": one stride for each dimension");
  int64_t last = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    CUDNN_GRU_CHECK(dims[i] >= 0 && strides[i] >= 0, std::string(name) + ": negative dimension or stride");
    if (dims[i] == 0) return;
    CUDNN_GRU_CHECK(strides[i] <= kMaxElements / dims[i], std::string(name) + ": stride too large");
    last += (dims[i] - 1) * strides[i];
    CUDNN_GRU_CHECK(last < count, std::string(name) + ": strides reach past the end");
  }
  CUDNN_GRU_CHECK(last < count, std::string(name) + ": strides reach past the end");
}

void ArgumentReader::contiguous(const char* name, const std::vector<int64_t>& dims, int64_t count) {
  int64_t total = 1;
  for (int64_t dim : dims) {
    CUDNN_GRU_CHECK(dim >= 0 && (dim == 0 || total <= kMaxElements / dim), name);
    total *= dim;
  }
  CUDNN_GRU_CHECK(total == count, std::string(name) + ": dimensions do not match its size");
}

}  // namespace cudnn_gru
