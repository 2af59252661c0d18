#pragma once

#include "softmax_rows.hpp"

namespace attention::kernels {

/// row = cap·tanh(row / cap); n is a whole number of registers, here and below.
template <class Arch>
inline void softcapRow(float* row, size_t n, float cap) {
  using F = simd::Floats<Arch>;
  const F limit(cap);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>) {
    (limit * xsimd::tanh(F::load_unaligned(row + j) / limit)).store_unaligned(row + j);
  }
}

/// row[j] -= slope·|first - j|. Distances are exact up to 2^24.
template <class Arch>
inline void addDistances(float* row, size_t n, float first, float slope) {
  using F = simd::Floats<Arch>;
  const F negated(-slope), step(static_cast<float>(simd::kLanes<Arch>));
  float lanes[simd::kLanes<Arch>];
  for (size_t lane = 0; lane < simd::kLanes<Arch>; ++lane) lanes[lane] = first - static_cast<float>(lane);
  F distance = F::load_unaligned(lanes);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>, distance -= step) {
    (F::load_unaligned(row + j) + negated * xsimd::abs(distance)).store_unaligned(row + j);
  }
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

}  // namespace attention::kernels
