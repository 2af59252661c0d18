#include <catch2/catch_test_macros.hpp>

#include "case.hpp"

namespace attention::test {
namespace {

std::vector<double> plainLinear(const Owned<float>& x, const Owned<float>& weight, const Owned<float>* bias) {
  const size_t inputs = weight.shape[1], outputs = weight.shape[0], rows = x.values.size() / inputs;
  std::vector<double> out(rows * outputs);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < outputs; ++o) {
      double sum = bias == nullptr ? 0.0 : static_cast<double>(bias->values[o]);
      for (size_t i = 0; i < inputs; ++i) {
        sum += static_cast<double>(x.values[r * inputs + i]) *
               static_cast<double>(weight.values[o * inputs + i]);
      }
      out[r * outputs + o] = sum;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("linear at sizes around tile, panel and block", "[linear]") {
  Random random(11);
  for (size_t rows : std::vector<size_t>{1, 3, 4, 5, 6, 7, 95, 96, 97, 200}) {
    for (size_t inputs : std::vector<size_t>{1, 3, 4, 5, 383, 384, 385, 800}) {
      for (size_t outputs : std::vector<size_t>{1, 7, 8, 9, 17}) {
        Owned<float> x = normal(random, {rows, inputs}), weight = normal(random, {outputs, inputs});
        Owned<float> bias = normal(random, {outputs});
        const bool withBias = outputs % 2 == 1;
        Arena arena;
        Output out;
        REQUIRE(
            linear(x.view(), weight.view(), withBias ? std::optional(bias.view()) : std::nullopt, out, arena)
                .ok());
        INFO(rows << " × " << inputs << " → " << outputs);
        // Rounding of a sum of n products of unit size grows like sqrt(n)·sqrt(n)·2⁻²⁴, seldom three times
        // that.
        const double tolerance = 3 * static_cast<double>(inputs + 8) * 0x1p-24;
        CHECK(largestError(out.floats(), plainLinear(x, weight, withBias ? &bias : nullptr)) <= tolerance);
      }
    }
  }
}

TEST_CASE("weights in panels give the same bits", "[linear]") {
  Random random(13);
  for (size_t outputs : std::vector<size_t>{1, 7, 8, 9, 17}) {
    for (size_t inputs : std::vector<size_t>{1, 383, 800}) {
      Owned<float> x = normal(random, {7, inputs}), weight = normal(random, {outputs, inputs});
      const PanelSizes sizes{outputs, inputs, DType::kPanels};
      const size_t floats = sizes.floats().value();
      Owned<float> panels{{floats}, std::vector<float>(floats)};
      Arena arena;
      Output packed = Output::into(panels.view()), fromRows, fromPanels;
      REQUIRE(packPanels(weight.view(), sizes, 0, packed, arena).ok());
      const TensorView view = TensorView::contiguous(panels.values.data(), DType::kPanels, weight.shape);
      REQUIRE(linear(x.view(), weight.view(), std::nullopt, fromRows, arena).ok());
      REQUIRE(linear(x.view(), view, std::nullopt, fromPanels, arena).ok());
      INFO(inputs << " → " << outputs);
      CHECK(std::memcmp(fromRows.floats(), fromPanels.floats(), 7 * outputs * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("int8 panels are their rounded weights, row by row too", "[linear]") {
  Random random(14);
  for (size_t outputs : std::vector<size_t>{1, 7, 8, 9, 17}) {
    for (size_t inputs : std::vector<size_t>{1, 5, 383, 800}) {
      Owned<float> x = normal(random, {7, inputs}), weight = normal(random, {outputs, inputs});
      weight.values.back() = 0;
      const PanelSizes sizes{outputs, inputs, DType::kPanels8};
      const size_t floats = sizes.floats().value();
      Owned<float> panels{{floats}, std::vector<float>(floats)};
      Arena arena;
      Output packed = Output::into(panels.view()), fromRows, fromPanels, rows;
      REQUIRE(packPanels(weight.view(), sizes, 0, packed, arena).ok());
      const TensorView view = TensorView::contiguous(panels.values.data(), DType::kPanels8, weight.shape);
      Owned<int32_t> ids{{outputs}, std::vector<int32_t>(outputs)};
      for (size_t n = 0; n < outputs; ++n) ids.values[n] = static_cast<int32_t>(n);
      REQUIRE(embedding(ids.view(), view, rows, arena).ok());
      INFO(inputs << " → " << outputs);
      for (size_t n = 0; n < outputs; ++n) {
        float most = 0;
        for (size_t k = 0; k < inputs; ++k) most = std::max(most, std::abs(weight.values[n * inputs + k]));
        for (size_t k = 0; k < inputs; ++k) {
          const float error = std::abs(rows.floats()[n * inputs + k] - weight.values[n * inputs + k]);
          CHECK(error <= most / 254 * (1 + 3e-5f));
        }
      }
      REQUIRE(linear(x.view(), rows.view(), std::nullopt, fromRows, arena).ok());
      REQUIRE(linear(x.view(), view, std::nullopt, fromPanels, arena).ok());
      CHECK(std::memcmp(fromRows.floats(), fromPanels.floats(), 7 * outputs * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("linear refuses what does not fit", "[linear]") {
  Random random(12);
  Owned<float> x = normal(random, {2, 4}), weight = normal(random, {3, 5}), bias = normal(random, {4});
  Arena arena;
  Output out;
  const Status width = linear(x.view(), weight.view(), std::nullopt, out, arena);
  CHECK(width.code() == ErrorCode::kShapeMismatch);
  CHECK(std::string(width.argument()) == "weight");
  CHECK(std::string(Message::latest()) == "got shape [3,5], wanted [out,in] with in = 4, the last axis of x");
  weight = normal(random, {3, 4});
  CHECK(std::string(linear(x.view(), weight.view(), bias.view(), out, arena).argument()) == "bias");
}

TEST_CASE("a part of a weight begins with a panel and stays within it", "[linear]") {
  Random random(17);
  Owned<float> few = normal(random, {3, 4});
  const PanelSizes sizes{200, 4, GENERATE(DType::kPanels, DType::kPanels8)};
  Arena arena;
  Output out;
  const auto pack = [&](size_t first) { return packPanels(few.view(), sizes, first, out, arena).code(); };
  CHECK(pack(0) == ErrorCode::kOk);
  CHECK(pack(192) == ErrorCode::kOk);
  CHECK(pack(1) == ErrorCode::kInvalidArgument);
  CHECK(pack(197) == ErrorCode::kInvalidArgument);  // its last panel would end beyond the weight's
  CHECK(pack(256) == ErrorCode::kShapeMismatch);
  CHECK(pack(SIZE_MAX) == ErrorCode::kShapeMismatch);  // and 3 rows from there are at row 2
}

}  // namespace attention::test
