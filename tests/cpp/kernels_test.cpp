#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include "case.hpp"
#include "kernels/dot_rows.hpp"
#include "kernels/matmul_tile.hpp"

namespace attention::test {
namespace {

using Arch = simd::DefaultArch;
using simd::Half;
constexpr size_t kColumns = 2 * simd::kLanes<Arch>;

/// The number that IEEE 754 says a half is.
double valueOf(Half half) {
  const double sign = (half.bits & 0x8000) != 0 ? -1 : 1, fraction = half.bits & 0x3ff;
  const int exponent = (half.bits >> 10) & 31;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31)
    return fraction == 0 ? sign * static_cast<double>(kInfinity) : static_cast<double>(kNaN);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}
double valueOf(int8_t value) { return value; }
double valueOf(float value) { return static_cast<double>(value); }

/// Small whole numbers, of which sums of products are exact in any order.
template <class Element>
std::vector<Element> wholeNumbers(Random& random, size_t count) {
  constexpr uint16_t kHalves[] = {0xc400, 0xc200, 0xc000, 0xbc00, 0, 0x3c00, 0x4000, 0x4200, 0x4400};
  std::vector<Element> values(count);
  for (Element& value : values) {
    const size_t at = between(random, 0, 8);
    if constexpr (std::is_same_v<Element, Half>) {
      value = {kHalves[at]};
    } else {
      value = static_cast<Element>(static_cast<int>(at) - 4);
    }
  }
  return values;
}

template <class Element>
void loadsEvery(const std::vector<Element>& values) {
  const simd::LoadPair<Arch, Element> load;
  std::vector<float> loaded(values.size());
  for (size_t i = 0; i < values.size(); i += kColumns) {
    const simd::Pair<Arch> pair = load(values.data() + i);
    pair.low.store_unaligned(loaded.data() + i);
    pair.high.store_unaligned(loaded.data() + i + simd::kLanes<Arch>);
  }
  size_t wrong = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double want = valueOf(values[i]), got = static_cast<double>(loaded[i]);
    const bool same =
        std::isnan(want) ? std::isnan(got) : got == want && std::signbit(got) == std::signbit(want);
    wrong += same ? 0 : 1;
  }
  CHECK(wrong == 0);
}

template <size_t Rows, class Element>
void dots(Random& random, size_t depth, size_t count, size_t room) {
  const size_t keyStride = depth + room, stride = kernels::kDotKeys * 4;
  const auto queries = wholeNumbers<float>(random, Rows * depth);
  const auto keys = wholeNumbers<Element>(random, (count - 1) * keyStride + depth);
  std::vector<float> scores((Rows - 1) * stride + (count + kernels::kDotKeys - 1) / kernels::kDotKeys * 4);
  kernels::dotRows<Arch, Rows>(queries.data(), depth, keys.data(), keyStride, count, scores.data(), stride);
  INFO("rows " << Rows << ", depth " << depth << ", keys " << count << ", room " << room);
  for (size_t r = 0; r < Rows; ++r) {
    for (size_t j = 0; j < count; ++j) {
      double sum = 0;
      for (size_t d = 0; d < depth; ++d) {
        sum += valueOf(queries[r * depth + d]) * valueOf(keys[j * keyStride + d]);
      }
      CHECK(static_cast<double>(scores[r * stride + j]) == sum);
    }
  }
}

template <kernels::Start start, size_t Rows, size_t Stride, class Element>
void multiplies(Random& random, size_t depth, size_t room) {
  const bool isPacked = Stride == kernels::kPacked;
  const size_t rowStep = isPacked ? 1 : Stride, depthStep = isPacked ? Rows : 1;
  const size_t bStride = kColumns + room, cStride = kColumns + 3;
  const auto a = wholeNumbers<float>(random, (Rows - 1) * rowStep + (depth - 1) * depthStep + 1);
  const auto b = wholeNumbers<Element>(random, (depth - 1) * bStride + kColumns);
  auto c = wholeNumbers<float>(random, (Rows - 1) * cStride + kColumns);
  const auto before = c;
  kernels::fixedTile<Arch, start, Rows, Stride>(depth, a.data(), b.data(), bStride, c.data(), cStride);
  INFO("rows " << Rows << ", depth " << depth << ", room " << room << ", start " << static_cast<int>(start));
  for (size_t r = 0; r < Rows; ++r) {
    for (size_t column = 0; column < kColumns; ++column) {
      const size_t at = r * cStride + column;
      double sum = start == kernels::Start::kZero ? 0 : valueOf(before[at]);
      for (size_t k = 0; k < depth; ++k) {
        sum += valueOf(a[r * rowStep + k * depthStep]) * valueOf(b[k * bStride + column]);
      }
      CHECK(static_cast<double>(c[at]) == sum);
    }
  }
}

}  // namespace

TEST_CASE("every half and every int8 is widened exactly", "[kernels]") {
  std::vector<Half> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i].bits = static_cast<uint16_t>(i);
  loadsEvery(halves);
  std::vector<int8_t> integers(256);
  for (size_t i = 0; i < integers.size(); ++i) integers[i] = static_cast<int8_t>(static_cast<int>(i) - 128);
  loadsEvery(integers);
}

TEMPLATE_TEST_CASE("dot products of any number of keys", "[kernels]", float, Half, int8_t) {
  Random random(1);
  for (size_t depth : {kColumns, 2 * kColumns, 5 * kColumns}) {
    for (size_t count = 1; count <= 13; ++count) {
      for (size_t room : Lengths{0, 3}) {
        dots<1, TestType>(random, depth, count, room);
        dots<kernels::kDotRows, TestType>(random, depth, count, room);
      }
    }
  }
}

TEMPLATE_TEST_CASE("register tiles of any depth", "[kernels]", float, Half, int8_t) {
  Random random(2);
  using kernels::Start;
  for (size_t depth : Lengths{1, 2, 3, 7, 16, 17}) {
    for (size_t room : Lengths{0, 3}) {
      multiplies<Start::kFromC, 1, 128, TestType>(random, depth, room);
      multiplies<Start::kFromC, kernels::kDotRows, 128, TestType>(random, depth, room);
      multiplies<Start::kZero, kernels::Tile<Arch>::rows, kernels::kPacked, TestType>(random, depth, room);
      multiplies<Start::kAddedLast, kernels::Tile<Arch>::fewRows, kernels::kPacked, TestType>(random, depth,
                                                                                              room);
    }
  }
}

}  // namespace attention::test
