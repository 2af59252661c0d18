#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../runtime/half.hpp"

namespace attention::kernels {

inline void storeRow(const float* from, size_t count, float* to) { std::copy_n(from, count, to); }

inline void storeRow(const float* from, size_t count, uint16_t* to) {
  std::transform(from, from + count, to, floatToHalf);
}

/// Values of -127..127 and the factor that makes them the row again, max|x|/127: |error| <= max|x|/254. A row
/// with NaN or infinity has a factor that makes all of it NaN.
inline float storeRow(const float* from, size_t count, int8_t* to) {
  float largest = 0, doubt = 0;  // 0·x is NaN where x is not finite
  for (size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(from[i]));
    doubt += 0.0f * from[i];
  }
  const float factor = largest / 127.0f + doubt;
  for (size_t i = 0; i < count; ++i) {
    // Where the factor is subnormal it is coarse, and the largest value may be more than 127 of it.
    const float steps = factor > 0 ? std::nearbyint(from[i] / factor) : 0.0f;
    to[i] = static_cast<int8_t>(std::clamp(steps, -127.0f, 127.0f));
  }
  return factor;
}

}  // namespace attention::kernels
