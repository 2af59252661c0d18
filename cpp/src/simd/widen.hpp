#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "lanes.hpp"

namespace attention::simd {

/// An IEEE binary16 in memory.
struct Half {
  uint16_t bits;
};

/// Two registers of floats.
template <class Arch>
struct Pair {
  Floats<Arch> low, high;
};

/// Loads two registers of floats from elements of any type. The object holds constants: make it before the
/// loop.
template <class Arch, class Element>
class LoadPair;

template <class Arch>
class LoadPair<Arch, float> {
 public:
  Pair<Arch> operator()(const float* from) const {
    return {Floats<Arch>::load_unaligned(from), Floats<Arch>::load_unaligned(from + kLanes<Arch>)};
  }
};

template <class Arch>
using Integers = xsimd::batch<int32_t, typename LanesOf<Arch>::type>;

/// Two registers of sign-extended integers.
template <class Arch>
struct IntegerPair {
  Integers<Arch> low, high;
};

#if defined(__wasm_simd128__)

template <class Arch>
inline IntegerPair<Arch> loadIntegers(const int8_t* from) {
  const v128_t words = wasm_i16x8_load8x8(from);
  return {Integers<Arch>(wasm_i32x4_extend_low_i16x8(words)),
          Integers<Arch>(wasm_i32x4_extend_high_i16x8(words))};
}

template <class Arch>
inline IntegerPair<Arch> loadIntegers(const int16_t* from) {
  return {Integers<Arch>(wasm_i32x4_load16x4(from)), Integers<Arch>(wasm_i32x4_load16x4(from + 4))};
}

#else

template <class Arch, class Element>
inline IntegerPair<Arch> loadIntegers(const Element* from) {
  int32_t values[2 * kLanes<Arch>];
  std::copy_n(from, 2 * kLanes<Arch>, values);
  return {Integers<Arch>::load_unaligned(values), Integers<Arch>::load_unaligned(values + kLanes<Arch>)};
}

#endif

template <class Arch>
class LoadPair<Arch, int8_t> {
 public:
  Pair<Arch> operator()(const int8_t* from) const {
    const IntegerPair<Arch> integers = loadIntegers<Arch>(from);
    return {xsimd::to_float(integers.low), xsimd::to_float(integers.high)};
  }
};

/// Exact for every value. Shifted into place, the exponent of a half is 112 too small: a multiplication moves
/// it and normalises subnormals; infinities and NaN get the largest exponent.
template <class Arch>
class LoadPair<Arch, Half> {
 public:
  Pair<Arch> operator()(const Half* from) const {
    const IntegerPair<Arch> halves = loadIntegers<Arch>(reinterpret_cast<const int16_t*>(from));
    return {widened(halves.low), widened(halves.high)};
  }

 private:
  Floats<Arch> widened(Integers<Arch> half) const {
    const Integers<Arch> placed = (half << 13) & xsimd::bitwise_cast<int32_t>(signAndMagnitude_);
    const Integers<Arch> exponent = placed & xsimd::bitwise_cast<int32_t>(special_);
    const auto isSpecial = exponent == xsimd::bitwise_cast<int32_t>(special_);
    const Floats<Arch> scaled = xsimd::bitwise_cast<float>(placed) * rebias_;
    const Integers<Arch> largest = placed | xsimd::bitwise_cast<int32_t>(infinity_);
    return xsimd::select(xsimd::batch_bool_cast<float>(isSpecial), xsimd::bitwise_cast<float>(largest),
                         scaled);
  }

  Floats<Arch> signAndMagnitude_ = held<Arch>(std::bit_cast<float>(0x8fffe000u)),
               special_ = held<Arch>(std::bit_cast<float>(0x0f800000u)),
               infinity_ = held<Arch>(std::bit_cast<float>(0x7f800000u)), rebias_ = held<Arch>(0x1p112f);
};

}  // namespace attention::simd
