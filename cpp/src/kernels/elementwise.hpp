#pragma once

#include <algorithm>
#include <cstddef>

#include "../simd/exp2.hpp"

namespace attention::kernels {

/// to[i] = f(x[i]) for n values, whole registers at a time; `to` may be `x`.
template <class Arch, class Function>
inline void map(const float* x, size_t n, float* to, const Function& f) {
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

/// x·Φ(x), Φ the normal distribution function. Φ(-z) = e^(-z²/2)·t·P(t) with t = 1/(1 + 0.3·z) for z >= 0, P
/// the polynomial of degree 7 whose relative error is least, 1.5e-7 for z up to 14, where e^(-z²/2) is 0 in
/// float: the lower tail keeps its digits, which 1 + erf loses.
template <class Arch>
class Gelu {
  using F = simd::Floats<Arch>;

 public:
  F operator()(F x) const {
    const F z = xsimd::abs(x);
    const F t = one_ / simd::multiplyAdd<Arch>(scale_, z, one_);
    F p = simd::multiplyAdd<Arch>(c7_, t, c6_);
    p = simd::multiplyAdd<Arch>(p, t, c5_);
    p = simd::multiplyAdd<Arch>(p, t, c4_);
    p = simd::multiplyAdd<Arch>(p, t, c3_);
    p = simd::multiplyAdd<Arch>(p, t, c2_);
    p = simd::multiplyAdd<Arch>(p, t, c1_);
    p = simd::multiplyAdd<Arch>(p, t, c0_);
    const F lower = exp2_.natural(half_ * z * z) * t * p;
    return x * xsimd::select(x < zero_, lower, one_ - lower);
  }

 private:
  simd::Exp2<Arch> exp2_;
  F zero_ = simd::held<Arch>(0.0f), one_ = simd::held<Arch>(1.0f), half_ = simd::held<Arch>(-0.5f),
    scale_ = simd::held<Arch>(0.3f);
  F c0_ = simd::held<Arch>(0.119629299f), c1_ = simd::held<Arch>(0.120753955f),
    c2_ = simd::held<Arch>(0.0999134962f), c3_ = simd::held<Arch>(0.128561612f),
    c4_ = simd::held<Arch>(-0.0536836153f), c5_ = simd::held<Arch>(0.206353473f),
    c6_ = simd::held<Arch>(-0.157203063f), c7_ = simd::held<Arch>(0.0356747693f);
};

/// 1/(1 + e^-x). The exponent is never above 0, where e^x neither overflows nor loses the small.
template <class Arch>
class Sigmoid {
  using F = simd::Floats<Arch>;

 public:
  F operator()(F x) const {
    const F small = exp2_.natural(-xsimd::abs(x));
    return xsimd::select(x < zero_, small, one_) / (one_ + small);
  }

 private:
  simd::Exp2<Arch> exp2_;
  F zero_ = simd::held<Arch>(0.0f), one_ = simd::held<Arch>(1.0f);
};

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|).
template <class Arch>
class Softplus {
  using F = simd::Floats<Arch>;

 public:
  F operator()(F x) const {
    return simd::maximum<Arch>(x, zero_) + xsimd::log1p(exp2_.natural(-xsimd::abs(x)));
  }

 private:
  simd::Exp2<Arch> exp2_;
  F zero_ = simd::held<Arch>(0.0f);
};

/// x·sigmoid(x).
template <class Arch>
class Silu {
  using F = simd::Floats<Arch>;

 public:
  F operator()(F x) const { return x * sigmoid_(x); }

 private:
  Sigmoid<Arch> sigmoid_;
};

/// x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), and (1 + tanh(u))/2 = sigmoid(2u).
template <class Arch>
class GeluTanh {
  using F = simd::Floats<Arch>;

 public:
  F operator()(F x) const { return x * sigmoid_(x * simd::multiplyAdd<Arch>(cubic_, x * x, slope_)); }

 private:
  Sigmoid<Arch> sigmoid_;
  F slope_ = simd::held<Arch>(1.5957691216057308f),
    cubic_ = simd::held<Arch>(1.5957691216057308f * 0.044715f);
};

/// max(x, 0); NaN stays.
template <class Arch>
inline simd::Floats<Arch> relu(simd::Floats<Arch> x) {
  return simd::maximum<Arch>(x, simd::Floats<Arch>(0.0f));
}

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
