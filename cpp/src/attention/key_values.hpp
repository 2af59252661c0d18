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
    return floats(plan_.key, 0, rows, range, plan_.headDim);
  }
  Rows values(const QueryRows& rows, Range range) const {
    return floats(plan_.value, plan_.pages.valuesAt, rows, range, plan_.valueDim);
  }

  /// Calls use(first, stride) with the elements as they are stored.
  template <class Use>
  void withKeys(const QueryRows& rows, Range range, Use use) const {
    withElements(plan_.key, 0, rows, range, use);
  }
  template <class Use>
  void withValues(const QueryRows& rows, Range range, Use use) const {
    withElements(plan_.value, plan_.pages.valuesAt, rows, range, use);
  }

  /// The factor of each key of a range; null for floats.
  const float* keyScales(const QueryRows& rows, Range range) const {
    return scales(plan_.keyScales, plan_.pages.keyScalesAt, rows, range);
  }
  const float* valueScales(const QueryRows& rows, Range range) const {
    return scales(plan_.valueScales, plan_.pages.valueScalesAt, rows, range);
  }

 private:
  /// Where a row of a [B,Hkv,S,·] tensor is: its memory, and how many elements from there.
  struct Place {
    const void* memory;
    size_t first;
  };

  /// `at`: of a page's part, where that begins in bytes. A range lies within one page.
  Place placeOf(const TensorView& heads, size_t at, const QueryRows& rows, size_t position) const {
    const size_t head = heads.strides[1] * plan_.kvHeadOf(rows.head);
    const KeyPages& pages = plan_.pages;
    if (pages.rows == 0) {
      return {heads.data, heads.strides[0] * rows.batch + head +
                              heads.strides[2] * (plan_.sequences().firstKey(rows.batch) + position)};
    }
    const std::byte* page = pages.page(position, rows.batch, plan_.batch);
    return {page + at, head + heads.strides[2] * (position % pages.rows)};
  }

  template <class Use>
  void withElements(const TensorView& heads, size_t at, const QueryRows& rows, Range range, Use use) const {
    const Place place = placeOf(heads, at, rows, range.begin);
    switch (heads.dtype) {
      case DType::kInt8:
        return use(static_cast<const int8_t*>(place.memory) + place.first, heads.strides[2]);
      case DType::kFloat16:
        return use(static_cast<const simd::Half*>(place.memory) + place.first, heads.strides[2]);
      default:
        return use(static_cast<const float*>(place.memory) + place.first, heads.strides[2]);
    }
  }

  Rows floats(const TensorView& heads, size_t at, const QueryRows& rows, Range range, size_t width) const {
    Rows result{};
    withElements(heads, at, rows, range, [&](const auto* from, size_t stride) {
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

  const float* scales(const std::optional<TensorView>& given, size_t at, const QueryRows& rows,
                      Range range) const {
    if (!given) return nullptr;
    const Place place = placeOf(*given, at, rows, range.begin);
    return static_cast<const float*>(place.memory) + place.first;
  }

  const AttentionPlan& plan_;
  float* wide_ = nullptr;
};

}  // namespace attention
