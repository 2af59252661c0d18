#pragma once

#include <cstddef>
#include <limits>

#include "../simd/exp2.hpp"

namespace attention::kernels {

inline constexpr float kNegativeInfinity = -std::numeric_limits<float>::infinity();

/// Rows of the functions below are a whole number of steps long. Two registers a step, with a running value
/// each: one alone would wait for itself, and the loop's own instructions count.
template <class Arch>
inline constexpr size_t kStep = 2 * simd::kLanes<Arch>;

/// The largest of n values of each of Rows rows, NaN passed over. All rows at a time: the next row need not
/// wait until one row's running values have met.
template <class Arch, size_t Rows, size_t Stride>
inline void rowMaxima(const float* rows, size_t n, float* maxima) {
  using F = simd::Floats<Arch>;
  F running[Rows];
#pragma GCC unroll 8
  for (size_t r = 0; r < Rows; ++r) running[r] = F(kNegativeInfinity);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>) {
#pragma GCC unroll 8
    for (size_t r = 0; r < Rows; ++r) {
      running[r] = simd::maximum<Arch>(running[r], F::load_unaligned(rows + r * Stride + j));
    }
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < Rows; ++r) maxima[r] = xsimd::reduce_max(running[r]);
}

/// row = e^(row - shift), in one pass; returns the sum.
template <class Arch>
inline float expRow(const simd::Exp2<Arch>& exp2, float* row, size_t n, float shift) {
  using F = simd::Floats<Arch>;
  const F subtracted(shift);
  const auto step = [&](float* at) {
    const F value = exp2.natural(F::load_unaligned(at) - subtracted);
    value.store_unaligned(at);
    return value;
  };
  F even(0.0f), odd(0.0f);
  for (size_t j = 0; j < n; j += kStep<Arch>) {
    even += step(row + j);
    odd += step(row + j + simd::kLanes<Arch>);
  }
  return xsimd::reduce_add(even + odd);
}

/// row = row·factor.
template <class Arch>
inline void scaleRow(float* row, size_t n, float factor) {
  using F = simd::Floats<Arch>;
  const F scale(factor);
  for (size_t j = 0; j < n; j += simd::kLanes<Arch>)
    (F::load_unaligned(row + j) * scale).store_unaligned(row + j);
}

}  // namespace attention::kernels
