#pragma once

#include <numbers>

#include "lanes.hpp"

namespace attention::simd {

/// 2^x for x <= 127, vectorised: at most 2.5 ULP for x in [-126, 127] (tests/cpp/exp2_test.cpp visits every
/// float of a binade and samples the rest); 0 below -126.5, NaN for NaN, exactly 1 at 0.
///
/// x = n + f with n = round(x), |f| <= 1/2. Adding 1.5·2^23 + 127 rounds and leaves the exponent's bits n +
/// 127 lowest in the mantissa, from where a shift puts them in place: no conversion instruction. 2^f is a
/// polynomial of degree 5 whose constant term is exactly 1 (minimax of the relative error).
///
/// The object holds the constants: make it before the loop.
template <class Arch>
class Exp2 {
  using F = Floats<Arch>;

 public:
  F operator()(F x) const {
    x = maximum<Arch>(x, lowest_);
    const F rounded = x + rounder_;
    const F f = x - (rounded - rounder_);
    F p = multiplyAdd<Arch>(c5_, f, c4_);
    p = multiplyAdd<Arch>(p, f, c3_);
    p = multiplyAdd<Arch>(p, f, c2_);
    p = multiplyAdd<Arch>(p, f, c1_);
    p = multiplyAdd<Arch>(p, f, one_);
    return p * xsimd::bitwise_cast<float>(xsimd::bitwise_cast<int32_t>(rounded) << 23);
  }

  /// e^x; the exponent's rounding adds |x|/2 ULP.
  F natural(F x) const { return (*this)(x * log2e_); }

 private:
  F log2e_ = held<Arch>(std::numbers::log2e_v<float>);
  F rounder_ = held<Arch>(12582912.0f + 127.0f), lowest_ = held<Arch>(-127.0f), one_ = held<Arch>(1.0f),
    c1_ = held<Arch>(0.6931470036506653f), c2_ = held<Arch>(0.24022242426872253f),
    c3_ = held<Arch>(0.05550733581185341f), c4_ = held<Arch>(0.009671512991189957f),
    c5_ = held<Arch>(0.0013264723820611835f);
};

}  // namespace attention::simd
