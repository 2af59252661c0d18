#pragma once

#include <cmath>
#include <cstddef>

#include "../simd/lanes.hpp"

namespace attention::kernels {

/// NaN stays, on either side.
template <class Float>
inline Float largerOrNaN(Float a, Float b) {
  return a < b || std::isnan(b) ? b : a;
}

/// True where no value of `count` rows is infinite or NaN: x·0 is 0 for finite x only.
template <class Arch>
inline bool allFinite(const float* rows, size_t stride, size_t count, size_t width) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  const F zero(0.0f);
  F sum(0.0f);
  float tail = 0.0f;
  for (size_t r = 0; r < count; ++r, rows += stride) {
    size_t d = 0;
    for (; d + kLanes <= width; d += kLanes) sum += F::load_unaligned(rows + d) * zero;
    for (; d < width; ++d) tail += rows[d] * 0.0f;
  }
  return xsimd::reduce_add(sum) + tail == 0.0f;
}

}  // namespace attention::kernels
