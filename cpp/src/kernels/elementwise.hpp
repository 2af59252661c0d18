#pragma once

#include <algorithm>
#include <cstddef>
#include <numbers>

#include "../simd/exp2.hpp"

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

/// x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
template <class Arch>
inline simd::Floats<Arch> geluTanh(simd::Floats<Arch> x) {
  using F = simd::Floats<Arch>;
  const F half(0.5f), one(1.0f), cubic(0.044715f), slope(0.7978845608028654f);
  return half * x * (one + xsimd::tanh(slope * x * (one + cubic * x * x)));
}

/// max(x, 0); NaN stays.
template <class Arch>
inline simd::Floats<Arch> relu(simd::Floats<Arch> x) {
  return simd::maximum<Arch>(x, simd::Floats<Arch>(0.0f));
}

/// x/(1 + e^-x). The exponent is never above 0, where e^x neither overflows nor loses the small.
template <class Arch>
class Silu {
  using F = simd::Floats<Arch>;

 public:
  F operator()(F x) const {
    const F small = exp2_.natural(-xsimd::abs(x));
    return x * xsimd::select(x < zero_, small, one_) / (one_ + small);
  }

 private:
  simd::Exp2<Arch> exp2_;
  F zero_ = simd::held<Arch>(0.0f), one_ = simd::held<Arch>(1.0f);
};

/// elu(x) + 1: x + 1 above 0, else e^x. The feature map of linear attention.
template <class Arch>
class EluPlusOne {
  using F = simd::Floats<Arch>;

 public:
  F operator()(F x) const { return xsimd::select(x > zero_, x + one_, exp2_.natural(-xsimd::abs(x))); }

 private:
  simd::Exp2<Arch> exp2_;
  F zero_ = simd::held<Arch>(0.0f), one_ = simd::held<Arch>(1.0f);
};

}  // namespace attention::kernels
