#pragma once

#include <bit>
#include <cstdint>

namespace attention {

/// IEEE binary16 → binary32, exact for every one of the 65,536 values. Multiplying by 2^112 moves the
/// exponent and normalises subnormals in one step (Giesen, "half to float done quic", 2012).
inline float halfToFloat(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffu, sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const bool infiniteOrNan = magnitude >= 0x7c00u;
  const uint32_t bits = infiniteOrNan ? (magnitude << 13) | 0x7f800000u : std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>(bits | sign);
}

/// binary32 → binary16, rounded to the nearest, ties to even; beyond 65,520 infinity (Giesen,
/// "float to half done quic", 2016). For |x| in 2^-14..65,504 the error is at most 2^-11·|x|, below that
/// 2^-25.
inline uint16_t floatToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffffu;
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;
  if (magnitude >= 0x47800000u) return sign | 0x7c00u;
  if (magnitude < 0x38800000u) {
    // An addition rounds at the place of a subnormal half's last bit.
    const float rounded = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(rounded) - std::bit_cast<uint32_t>(0.5f)));
  }
  const uint32_t isOdd = (magnitude >> 13) & 1u;
  return static_cast<uint16_t>(sign | ((magnitude - (112u << 23) + 0xfffu + isOdd) >> 13));
}

}  // namespace attention
