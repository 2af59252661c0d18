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

}  // namespace attention
