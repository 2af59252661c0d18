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

/// No early end: so it vectorises.
template <class Value>
bool allAttend(const Value* attends, size_t count) {
  bool hasZero = false;
  for (size_t j = 0; j < count; ++j) hasZero |= attends[j] == 0;
  return !hasZero;
}

bool allAttend(const TensorView& mask, size_t batch, Range columns) {
  const size_t start = batch * mask.strides[0] + columns.begin;
  if (mask.dtype == DType::kInt32)
    return allAttend(static_cast<const int32_t*>(mask.data) + start, columns.size());
  return allAttend(static_cast<const uint8_t*>(mask.data) + start, columns.size());
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
  return kvLengths.empty() ? sequences.keysOf(batch) : static_cast<size_t>(kvLengths[batch]);
}

int64_t MaskPlan::offset(size_t batch) const {
  if (lowerRight) {
    return static_cast<int64_t>(validKeys(batch)) - static_cast<int64_t>(sequences.queriesOf(batch));
  }
  return offsets.empty() ? sharedOffset : offsets[batch];
}

Range MaskPlan::visible(size_t batch, size_t query, Range columns) const {
  const auto least = static_cast<int64_t>(columns.begin);
  const int64_t most = std::max(least, static_cast<int64_t>(std::min(columns.end, validKeys(batch))));
  const int64_t position = static_cast<int64_t>(query) + offset(batch);
  int64_t begin = least, end = most;
  if (window.left >= 0) begin = std::clamp(position - window.left, least, most);
  if (stream.window != 0 && columns.begin >= stream.sinks) {
    begin = std::clamp(position + 1 - static_cast<int64_t>(stream.window), begin, most);
    end = std::min(end, position + 1);
  }
  if (window.right >= 0) end = std::min(end, position + window.right + 1);
  if (causal) end = std::min(end, position + 1);
  return {static_cast<size_t>(begin), static_cast<size_t>(std::max(begin, end))};
}

Range MaskPlan::next(size_t batch, size_t head, Range rows, Range columns) const {
  const Range seen{visible(batch, rows.begin, columns).begin, visible(batch, rows.end - 1, columns).end};
  if (seen.begin >= seen.end) return {columns.end, columns.end};
  return blocks ? blocks->next(batch, head, rows.begin, seen) : seen;
}

bool MaskPlan::full(size_t batch, size_t head, Range rows, Range columns) const {
  if (dense) return false;
  if (visible(batch, rows.end - 1, columns).begin != columns.begin) return false;
  if (visible(batch, rows.begin, columns).end != columns.end) return false;
  if (keyMask && !allAttend(*keyMask, batch, columns)) return false;
  return !blocks || blocks->full(batch, head, rows.begin, columns);
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
  if (blocks) blocks->mask(batch, head, query, columns, kMasked, bias);
  const Range seen = visible(batch, query, columns);
  std::fill(bias, bias + (seen.begin - columns.begin), kMasked);
  std::fill(bias + (seen.end - columns.begin), bias + columns.size(), kMasked);
  return std::any_of(bias, bias + columns.size(), [](float value) { return value != kMasked; });
}

}  // namespace attention
