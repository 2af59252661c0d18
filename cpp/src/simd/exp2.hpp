#pragma once

#include "lanes.hpp"

namespace attention::simd {

/// 2^x for x <= 127, vectorised: at most 2.5 ULP for x in [-126, 127] (tests/cpp/exp2_test.cpp visits every
/// float of a binade and samples the rest); 0 below -126.5, NaN for NaN, exactly 1 at 0.
///
/// x = n + f with n = round(x), |f| <= 1/2. Adding 1.5·2^23 + 127 rounds and leaves the exponent's bits n +
/// 127 lowest in the mantissa, from where a shift puts them in place: no conversion instruction. 2^f is a
/// polynomial of degree 5 whose constant term is exactly 1 (minimax of the relative error).
///
/// The object holds the constants: V8 builds a vector literal anew at each use inside a loop, which made
/// this 2.5 times slower, so they are loaded once, from memory the compiler cannot see through, and kept in
/// locals.
template <class Arch>
class Exp2 {
  using F = Floats<Arch>;

 public:
  Exp2()
      : rounder_(kConstants[0]),
        lowest_(kConstants[1]),
        one_(kConstants[2]),
        c1_(kConstants[3]),
        c2_(kConstants[4]),
        c3_(kConstants[5]),
        c4_(kConstants[6]),
        c5_(kConstants[7]) {}

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

 private:
  static inline const volatile float kConstants[8] = {12582912.0f + 127.0f,
                                                      -127.0f,
                                                      1.0f,
                                                      0.6931470036506653f,
                                                      0.24022242426872253f,
                                                      0.05550733581185341f,
                                                      0.009671512991189957f,
                                                      0.0013264723820611835f};
  F rounder_, lowest_, one_, c1_, c2_, c3_, c4_, c5_;
};

}  // namespace attention::simd
