#pragma once

#include <cmath>
#include <cstddef>

#include "../simd/lanes.hpp"

namespace attention::kernels {

/// Sum of f(x) over n values. Lanes first, then the rest one by one: the order is fixed.
template <class Arch, class Function>
inline float rowSum(const float* row, size_t n, Function f) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  F sum(0.0f);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) sum += f(F::load_unaligned(row + i));
  float total = xsimd::reduce_add(sum);
  for (; i < n; ++i) total += f(F(row[i])).get(0);
  return total;
}

/// LayerNorm of one row; weight and bias may be null. `to` may be `row`.
template <class Arch>
inline void layerNormRow(const float* row, size_t n, const float* weight, const float* bias, float epsilon,
                         float* to) {
  using F = simd::Floats<Arch>;
  const auto count = static_cast<float>(n);
  const float mean = rowSum<Arch>(row, n, [](F x) { return x; }) / count;
  const F center(mean);
  const float variance = rowSum<Arch>(row, n, [center](F x) { return (x - center) * (x - center); }) / count;
  const float inverse = 1.0f / std::sqrt(variance + epsilon);
  for (size_t i = 0; i < n; ++i) {
    const float normalised = (row[i] - mean) * inverse;
    to[i] = normalised * (weight == nullptr ? 1.0f : weight[i]) + (bias == nullptr ? 0.0f : bias[i]);
  }
}

/// RMSNorm of one row; weight may be null. `to` may be `row`.
template <class Arch>
inline void rmsNormRow(const float* row, size_t n, const float* weight, float epsilon, float* to) {
  using F = simd::Floats<Arch>;
  const float square = rowSum<Arch>(row, n, [](F x) { return x * x; }) / static_cast<float>(n);
  const float inverse = 1.0f / std::sqrt(square + epsilon);
  for (size_t i = 0; i < n; ++i) to[i] = row[i] * inverse * (weight == nullptr ? 1.0f : weight[i]);
}

}  // namespace attention::kernels
