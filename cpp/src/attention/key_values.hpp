#pragma once

#include "../runtime/half.hpp"
#include "../simd/widen.hpp"
#include "query_rows.hpp"

namespace attention {

/// Keys and values of a call in whatever type they are stored.
class KeyValues {
 public:
  /// Rows of floats.
  struct Rows {
    const float* data;
    size_t stride;
  };

  explicit KeyValues(const AttentionPlan& plan) : plan_(plan) {}

  /// Room for `most` rows that are widened at one time.
  bool allocate(size_t most, Arena& arena) {
    const bool isFloat = plan_.key.dtype == DType::kFloat32 && plan_.value.dtype == DType::kFloat32;
    if (isFloat) return true;
    wide_ = arena.floats({most, std::max(plan_.headDim, plan_.valueDim)});
    return wide_ != nullptr;
  }

  /// As floats, in place or widened; until the next call of either.
  Rows keys(const QueryRows& rows, Range range) const {
    return floats(plan_.key, rows, range, plan_.headDim);
  }
  Rows values(const QueryRows& rows, Range range) const {
    return floats(plan_.value, rows, range, plan_.valueDim);
  }

  /// Calls use(first, stride) with the elements as they are stored.
  template <class Use>
  void withKeys(const QueryRows& rows, Range range, Use use) const {
    withElements(plan_.key, rows, range, use);
  }
  template <class Use>
  void withValues(const QueryRows& rows, Range range, Use use) const {
    withElements(plan_.value, rows, range, use);
  }

  /// The factor of each key of a range; null for floats.
  const float* keyScales(const QueryRows& rows, Range range) const {
    return scales(plan_.keyScales, rows, range);
  }
  const float* valueScales(const QueryRows& rows, Range range) const {
    return scales(plan_.valueScales, rows, range);
  }

 private:
  template <class Use>
  void withElements(const TensorView& heads, const QueryRows& rows, Range range, Use use) const {
    const size_t first = heads.strides[0] * rows.batch + heads.strides[1] * plan_.kvHeadOf(rows.head) +
                         heads.strides[2] * (plan_.sequences().firstKey(rows.batch) + range.begin);
    switch (heads.dtype) {
      case DType::kInt8:
        return use(static_cast<const int8_t*>(heads.data) + first, heads.strides[2]);
      case DType::kFloat16:
        return use(static_cast<const simd::Half*>(heads.data) + first, heads.strides[2]);
      default:
        return use(heads.floats() + first, heads.strides[2]);
    }
  }

  Rows floats(const TensorView& heads, const QueryRows& rows, Range range, size_t width) const {
    Rows result{};
    withElements(heads, rows, range, [&](const auto* from, size_t stride) {
      result = widened(from, stride, range.size(), width);
    });
    return result;
  }

  static Rows widened(const float* from, size_t stride, size_t /*count*/, size_t /*width*/) {
    return {from, stride};
  }
  template <class Element>
  Rows widened(const Element* from, size_t stride, size_t count, size_t width) const {
    for (size_t r = 0; r < count; ++r) {
      for (size_t d = 0; d < width; ++d) wide_[r * width + d] = widen(from[r * stride + d]);
    }
    return {wide_, width};
  }
  static float widen(int8_t value) { return value; }
  static float widen(simd::Half value) { return halfToFloat(value.bits); }

  const float* scales(const std::optional<TensorView>& given, const QueryRows& rows, Range range) const {
    if (!given) return nullptr;
    return given->floats() + rows.batch * given->strides[0] + plan_.kvHeadOf(rows.head) * given->strides[1] +
           range.begin;
  }

  const AttentionPlan& plan_;
  float* wide_ = nullptr;
};

}  // namespace attention
