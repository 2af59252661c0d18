#pragma once

#include <cmath>
#include <numbers>

namespace attention {

/// base^exponent to some 15 digits, which angles in float ask for, of functions that are there anyway:
/// std::pow would add 6 kB of code and tables.
inline double power(double base, double exponent) {
  return std::exp2(exponent * std::log(base) * std::numbers::log2e);
}

}  // namespace attention
