#include "attention/mask.hpp"

#include <catch2/catch_test_macros.hpp>

#include "case.hpp"

namespace attention::test {
namespace {

/// Coverage of a rectangle by asking every pair.
Coverage pairByPair(const MaskPlan& mask, Range rows, Range columns) {
  size_t attended = 0;
  std::vector<float> bias(columns.size());
  for (size_t i = rows.begin; i < rows.end; ++i) {
    mask.fillBias(0, 0, i, columns, bias.data());
    for (float value : bias) attended += value == -kInfinity ? 0 : 1;
  }
  if (attended == 0) return Coverage::kEmpty;
  return attended == rows.size() * columns.size() ? Coverage::kFull : Coverage::kPartial;
}

}  // namespace

TEST_CASE("coverage of a causal mask is what its pairs say", "[mask]") {
  const int32_t length = 17;
  for (int64_t offset : {-5, 0, 3, 40}) {
    for (bool cut : {false, true}) {
      MaskPlan mask{.queries = 20, .keys = 24, .causal = true, .sharedOffset = offset};
      if (cut) mask.kvLengths = {&length, 1};
      for (size_t row = 0; row < 20; row += 3) {
        for (size_t column = 0; column < 24; column += 4) {
          const Range rows{row, std::min<size_t>(row + 3, 20)}, columns{column, column + 4};
          INFO("offset " << offset << ", rows from " << row << ", columns from " << column);
          CHECK(mask.coverage(0, rows, columns) == pairByPair(mask, rows, columns));
        }
      }
    }
  }
}

TEST_CASE("infinity in a float mask does not undo another rule", "[mask]") {
  Owned<float> dense{{1, 1, 1, 3}, {kInfinity, kNaN, kInfinity}};
  Owned<uint8_t> keys{{1, 3}, {1, 0, 1}};
  MaskPlan mask{.queries = 1,
                .keys = 3,
                .causal = true,
                .sharedOffset = 1,
                .keyMask = keys.view(),
                .dense = dense.view(),
                .denseKeys = 3};
  float bias[3];
  CHECK(mask.fillBias(0, 0, 0, {0, 3}, bias));
  CHECK(bias[0] == kInfinity);
  CHECK(bias[1] == -kInfinity);
  CHECK(bias[2] == -kInfinity);
}

}  // namespace attention::test
