#pragma once

#include <algorithm>
#include <cstddef>
#include <numbers>

#include "../simd/lanes.hpp"

namespace attention::kernels {

/// to[i] = f(x[i]) for n values, whole registers at a time; `to` may be `x`.
template <class Arch, class Function>
inline void map(const float* x, size_t n, float* to, Function f) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(F::load_unaligned(x + i)).store_unaligned(to + i);
  if (i == n) return;
  float rest[kLanes] = {};
  std::copy(x + i, x + n, rest);
  f(F::load_unaligned(rest)).store_unaligned(rest);
  std::copy_n(rest, n - i, to + i);
}

/// x·Φ(x) = x/2·(1 + erf(x/√2)).
template <class Arch>
inline simd::Floats<Arch> gelu(simd::Floats<Arch> x) {
  using F = simd::Floats<Arch>;
  const F half(0.5f), one(1.0f), invSqrt2(std::numbers::sqrt2_v<float> / 2);
  return half * x * (one + xsimd::erf(x * invSqrt2));
}

template <class Arch>
inline simd::Floats<Arch> relu(simd::Floats<Arch> x) {
  return simd::maximum<Arch>(x, simd::Floats<Arch>(0.0f));
}

}  // namespace attention::kernels
