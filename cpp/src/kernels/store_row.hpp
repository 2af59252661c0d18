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
  const float inverse = factor > 0 ? 127.0f / largest : 0.0f;
  for (size_t i = 0; i < count; ++i) {
    // An inverse may be infinite where the values are smallest, and 127 a little too small for the largest
    // one.
    const float scaled = std::isinf(inverse) ? from[i] / factor : from[i] * inverse;
    to[i] = static_cast<int8_t>(std::clamp(std::nearbyint(inverse == 0 ? 0.0f : scaled), -127.0f, 127.0f));
  }
  return factor;
}

}  // namespace attention::kernels
