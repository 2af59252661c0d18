#include "simd/exp2.hpp"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

namespace attention::test {
namespace {

using Arch = simd::DefaultArch;

float exp2Of(float x) { return simd::Exp2<Arch>()(simd::Floats<Arch>(x)).get(0); }

/// |got - 2^x| in units of the last place of 2^x.
double ulpError(float x) {
  const double exact = std::exp2(static_cast<double>(x));
  const float rounded = static_cast<float>(exact);
  const double ulp = static_cast<double>(std::nextafter(rounded, std::numeric_limits<float>::infinity())) -
                     static_cast<double>(rounded);
  return std::abs(static_cast<double>(exp2Of(x)) - exact) / ulp;
}

}  // namespace

TEST_CASE("exp2 is within 2.5 ULP on every float of a binade", "[exp2]") {
  double worst = 0;
  for (uint32_t bits = std::bit_cast<uint32_t>(1.0f); bits < std::bit_cast<uint32_t>(2.0f); ++bits) {
    const float x = -std::bit_cast<float>(bits);
    const double error = ulpError(x);
    if (!(error <= worst)) worst = error;
  }
  INFO("worst " << worst);
  CHECK(worst <= 2.5);
}

TEST_CASE("exp2 is within 2.5 ULP over the whole range", "[exp2]") {
  double worst = 0;
  for (float x = -126.0f; x < 127.0f; x += 0.000731f) {
    const double error = ulpError(x);
    if (!(error <= worst)) worst = error;
  }
  INFO("worst " << worst);
  CHECK(worst <= 2.5);
}

TEST_CASE("exp2 at its special points", "[exp2]") {
  CHECK(exp2Of(0.0f) == 1.0f);
  CHECK(exp2Of(-1.0f) == 0.5f);
  CHECK(exp2Of(-126.0f) == 0x1p-126f);
  CHECK(exp2Of(-127.0f) == 0.0f);
  CHECK(exp2Of(-std::numeric_limits<float>::infinity()) == 0.0f);
  CHECK(std::isnan(exp2Of(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace attention::test
