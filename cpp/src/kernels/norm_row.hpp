#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "../simd/lanes.hpp"

namespace attention::kernels {

/// Registers that are added up by themselves: n values then err by 64 + n/256 roundings and not by n/4.
constexpr size_t kSumBlock = 64;

/// Sum of f(x) over n values. Blocks of registers first, then the rest one by one: the order is fixed.
template <class Arch, class Function>
inline float rowSum(const float* row, size_t n, Function f) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  F sum(0.0f);
  size_t i = 0;
  while (i + kLanes <= n) {
    const size_t end = std::min(n, i + kSumBlock * kLanes);
    F block(0.0f);
    for (; i + kLanes <= end; i += kLanes) block += f(F::load_unaligned(row + i));
    sum += block;
  }
  float total = xsimd::reduce_add(sum);
  for (; i < n; ++i) total += f(F(row[i])).get(0);
  return total;
}

/// LayerNorm of one row; weight and bias may be null. `to` may be `row`.
///
/// A rounded mean may be off by many deviations where it is large beside them. x - mean is exact there
/// (Sterbenz 1974), so the mean of these residuals is what the mean is off by.
template <class Arch>
inline void layerNormRow(const float* row, size_t n, const float* weight, const float* bias, float epsilon,
                         float* to) {
  using F = simd::Floats<Arch>;
  const auto count = static_cast<float>(n);
  const float mean = rowSum<Arch>(row, n, [](F x) { return x; }) / count;
  const F center(mean);
  const float rest = rowSum<Arch>(row, n, [center](F x) { return x - center; }) / count;
  const F correction(rest);
  const float variance = rowSum<Arch>(row, n,
                                      [center, correction](F x) {
                                        const F deviation = (x - center) - correction;
                                        return deviation * deviation;
                                      }) /
                         count;
  const float inverse = 1.0f / std::sqrt(variance + epsilon);
  for (size_t i = 0; i < n; ++i) {
    const float normalised = ((row[i] - mean) - rest) * inverse;
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

/// n values, `step` apart, divided by their Euclidean length, or by epsilon where that is larger. In double,
/// where the square of every float is a number. `to` may be `x`.
inline void l2NormalizeRow(const float* x, size_t n, size_t step, double epsilon, float* to) {
  double squares = 0;
  for (size_t i = 0; i < n; ++i)
    squares += static_cast<double>(x[i * step]) * static_cast<double>(x[i * step]);
  const double length = std::sqrt(squares);
  const double divisor = length < epsilon ? epsilon : length;  // NaN stays
  for (size_t i = 0; i < n; ++i)
    to[i * step] = static_cast<float>(static_cast<double>(x[i * step]) / divisor);
}

}  // namespace attention::kernels
