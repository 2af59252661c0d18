#pragma once

#include <cstddef>
#include <limits>
#include <numbers>

#include "../simd/exp2.hpp"

namespace attention::kernels {

inline constexpr float kNegativeInfinity = -std::numeric_limits<float>::infinity();

/// The largest of n values (n a multiple of the lanes), not below `floor`; NaN is passed over.
template <class Arch>
inline float rowMaximum(const float* row, size_t n, float floor) {
  using F = simd::Floats<Arch>;
  F highest(floor);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>) {
    highest = simd::maximum<Arch>(highest, F::load_unaligned(row + j));
  }
  return xsimd::reduce_max(highest);
}

/// row = e^(row - shift), in one pass; returns the sum. n is a multiple of the lanes.
template <class Arch>
inline float expRow(float* row, size_t n, float shift) {
  using F = simd::Floats<Arch>;
  const simd::Exp2<Arch> exp2;
  const F subtracted(shift), log2e(std::numbers::log2e_v<float>);
  F sum(0.0f);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>) {
    const F value = exp2((F::load_unaligned(row + j) - subtracted) * log2e);
    value.store_unaligned(row + j);
    sum += value;
  }
  return xsimd::reduce_add(sum);
}

/// row += bias, and -infinity where the bias is: whatever stood there, NaN too, is gone.
template <class Arch>
inline void addBias(float* row, const float* bias, size_t n) {
  using F = simd::Floats<Arch>;
  const F masked(kNegativeInfinity);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>) {
    const F added = F::load_unaligned(bias + j);
    xsimd::select(added == masked, masked, F::load_unaligned(row + j) + added).store_unaligned(row + j);
  }
}

/// row = row·factor; n is a multiple of the lanes.
template <class Arch>
inline void scaleRow(float* row, size_t n, float factor) {
  using F = simd::Floats<Arch>;
  const F scale(factor);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>)
    (F::load_unaligned(row + j) * scale).store_unaligned(row + j);
}

}  // namespace attention::kernels
