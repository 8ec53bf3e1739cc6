#include "device/buffer.h"

#include "device/device.h"

namespace cudnn_gru {

Buffer::Buffer(std::shared_ptr<Device> device, size_t bytes) : device_(std::move(device)), bytes_(bytes) {}

Buffer::~Buffer() {
  derived_.clear();
  if (data_) device_->release(data_, bytes_);
}

void Buffer::allocate() {
  if (!data_ && bytes_ > 0) data_ = device_->allocate(bytes_);
}

void Buffer::resize(size_t bytes) {
  if (data_) device_->release(data_, bytes_);
  data_ = nullptr;
  bytes_ = bytes;
  allocate();
}

}  // namespace cudnn_gru
