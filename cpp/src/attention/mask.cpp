#include "attention/mask.hpp"

#include <algorithm>
#include <limits>

namespace attention {

namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

template <class Value>
void maskWhereZero(const Value* attends, size_t stride, size_t count, float* bias) {
  for (size_t j = 0; j < count; ++j) {
    if (attends[j * stride] == 0) bias[j] = kMasked;
  }
}

void copyFloatMask(const float* values, size_t stride, size_t count, float* bias) {
  for (size_t j = 0; j < count; ++j) bias[j] = values[j * stride];
}

void applyKeyMask(const TensorView& mask, size_t batch, Range columns, float* bias) {
  const size_t start = batch * mask.strides[0] + columns.begin;
  if (mask.dtype == DType::kInt32) {
    maskWhereZero(static_cast<const int32_t*>(mask.data) + start, 1, columns.size(), bias);
  } else {
    maskWhereZero(static_cast<const uint8_t*>(mask.data) + start, 1, columns.size(), bias);
  }
}

}  // namespace

size_t MaskPlan::validKeys(size_t batch) const {
  return kvLengths.empty() ? keys : static_cast<size_t>(kvLengths[batch]);
}

int64_t MaskPlan::offset(size_t batch) const {
  if (lowerRight) return static_cast<int64_t>(validKeys(batch)) - static_cast<int64_t>(queries);
  return offsets.empty() ? sharedOffset : offsets[batch];
}

size_t MaskPlan::keyEnd(size_t batch, size_t query) const {
  const size_t valid = validKeys(batch);
  if (!causal) return valid;
  const int64_t next = static_cast<int64_t>(query) + offset(batch) + 1;
  return static_cast<size_t>(std::clamp<int64_t>(next, 0, static_cast<int64_t>(valid)));
}

Coverage MaskPlan::coverage(size_t batch, Range rows, Range columns) const {
  // keyEnd never falls from one row to the next.
  if (columns.begin >= keyEnd(batch, rows.end - 1)) return Coverage::kEmpty;
  if (dense || keyMask) return Coverage::kPartial;
  return columns.end <= keyEnd(batch, rows.begin) ? Coverage::kFull : Coverage::kPartial;
}

bool MaskPlan::fillBias(size_t batch, size_t head, size_t query, Range columns, float* bias) const {
  std::fill(bias, bias + columns.size(), 0.0f);
  if (dense) {
    const size_t known = std::clamp(denseKeys, columns.begin, columns.end) - columns.begin;
    const size_t start = batch * dense->strides[0] + head * dense->strides[1] + query * dense->strides[2] +
                         columns.begin * dense->strides[3];
    if (dense->dtype == DType::kBool) {
      maskWhereZero(static_cast<const uint8_t*>(dense->data) + start, dense->strides[3], known, bias);
    } else {
      copyFloatMask(dense->floats() + start, dense->strides[3], known, bias);
    }
    std::fill(bias + known, bias + columns.size(), kMasked);
  }
  // After the float mask: +infinity there must not undo what another rule masks.
  if (keyMask) applyKeyMask(*keyMask, batch, columns, bias);
  const size_t end = std::clamp(keyEnd(batch, query), columns.begin, columns.end);
  std::fill(bias + (end - columns.begin), bias + columns.size(), kMasked);
  return std::any_of(bias, bias + columns.size(), [](float value) { return value != kMasked; });
}

}  // namespace attention
