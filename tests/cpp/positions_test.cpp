#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <numbers>

#include "case.hpp"

namespace attention::test {

TEST_CASE("rotary pairs turn by position and frequency", "[positions]") {
  Random random(31);
  const bool interleaved = GENERATE(false, true);
  const size_t dims = GENERATE(size_t{2}, size_t{6}, size_t{10});
  Owned<float> x = normal(random, {2, 3, 7, 10});
  std::vector<int32_t> positions;
  for (int i = 0; i < 14; ++i) positions.push_back(static_cast<int32_t>(between(random, 0, 4000)) - 2000);
  RotaryOptions options;
  options.dims = dims;
  options.interleaved = interleaved;
  options.positions = positions;
  Arena arena;
  Output out;
  REQUIRE(rotaryEmbedding(x.view(), options, out, arena).ok());
  std::vector<double> wanted(x.values.begin(), x.values.end());
  for (size_t row = 0; row < 2 * 3 * 7; ++row) {
    const double position = positions[row / 21 * 7 + row % 7];
    for (size_t i = 0; i < dims / 2; ++i) {
      const double angle =
          position / std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(dims));
      const size_t a = row * 10 + (interleaved ? 2 * i : i), b = interleaved ? a + 1 : a + dims / 2;
      const auto left = static_cast<double>(x.values[a]), right = static_cast<double>(x.values[b]);
      wanted[a] = left * std::cos(angle) - right * std::sin(angle);
      wanted[b] = right * std::cos(angle) + left * std::sin(angle);
    }
  }
  CHECK(largestError(out.floats(), wanted) <= 1e-6);
  Output onto = Output::into(x.view());
  REQUIRE(rotaryEmbedding(x.view(), options, onto, arena).ok());
  CHECK(largestError(x.values.data(), wanted) <= 1e-6);
}

TEST_CASE("given angles are those of their rows or positions", "[positions]") {
  Random random(32);
  Owned<float> x = normal(random, {2, 1, 5, 4}), cos = normal(random, {9, 2}), sin = normal(random, {9, 2});
  const std::vector<int32_t> positions{8, 0, 3, 3, 5, 1, 2, 3, 4, 8};
  RotaryOptions options;
  options.positions = positions;
  options.cos = cos.view();
  options.sin = sin.view();
  Arena arena;
  Output out;
  REQUIRE(rotaryEmbedding(x.view(), options, out, arena).ok());
  for (size_t row = 0; row < 10; ++row) {
    const auto at = static_cast<size_t>(positions[row]);
    const float c = cos.values[at * 2 + 1], s = sin.values[at * 2 + 1];
    CHECK(std::abs(out.floats()[row * 4 + 1] - (x.values[row * 4 + 1] * c - x.values[row * 4 + 3] * s)) <=
          1e-5f);
  }
  const std::vector<int32_t> outside{0, 1, 2, 3, 9};
  options.positions = outside;
  Output refused;
  CHECK(std::string(rotaryEmbedding(x.view(), options, refused, arena).argument()) == "options.positions");
}

TEST_CASE("slopes of ALiBi halve at equal steps, and go on between those of the next lower power",
          "[positions]") {
  for (size_t h = 0; h < 8; ++h) CHECK(alibiSlope(h, 8) == std::ldexp(1.0f, -static_cast<int>(h) - 1));
  for (size_t h = 0; h < 8; ++h) CHECK(alibiSlope(h, 12) == alibiSlope(h, 8));
  for (size_t h = 8; h < 12; ++h) CHECK(alibiSlope(h, 12) == alibiSlope(2 * (h - 8), 16));
}

TEST_CASE("rollout is the product of its layers, the last one first", "[positions]") {
  Random random(33);
  const HeadFusion fusion = GENERATE(HeadFusion::kMean, HeadFusion::kMax, HeadFusion::kMin);
  const bool residual = GENERATE(false, true);
  constexpr size_t kHeads = 3, kSize = 13;
  std::vector<Owned<float>> layers;
  for (int l = 0; l < 3; ++l) {
    layers.push_back(normal(random, {1, kHeads, kSize, kSize}));
    for (float& value : layers.back().values) value = std::abs(value);
  }
  std::vector<double> product;
  for (const Owned<float>& layer : layers) {
    std::vector<double> fused(kSize * kSize);
    for (size_t i = 0; i < kSize; ++i) {
      double sum = 0;
      for (size_t j = 0; j < kSize; ++j) {
        double value = static_cast<double>(layer.values[i * kSize + j]);
        for (size_t h = 1; h < kHeads; ++h) {
          const auto next = static_cast<double>(layer.values[(h * kSize + i) * kSize + j]);
          value = fusion == HeadFusion::kMean  ? value + next
                  : fusion == HeadFusion::kMax ? std::max(value, next)
                                               : std::min(value, next);
        }
        if (fusion == HeadFusion::kMean) value /= kHeads;
        fused[i * kSize + j] = residual ? (value + (i == j ? 1.0 : 0.0)) / 2 : value;
        sum += fused[i * kSize + j];
      }
      for (size_t j = 0; j < kSize; ++j) fused[i * kSize + j] /= sum;
    }
    std::vector<double> next = fused;
    if (!product.empty()) {
      next.assign(kSize * kSize, 0.0);
      for (size_t i = 0; i < kSize; ++i) {
        for (size_t k = 0; k < kSize; ++k) {
          for (size_t j = 0; j < kSize; ++j)
            next[i * kSize + j] += fused[i * kSize + k] * product[k * kSize + j];
        }
      }
    }
    product = next;
  }
  Arena arena;
  std::optional<TensorView> above;
  Output out;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    out = {};
    REQUIRE(rolloutStep(layer->view(), above, fusion, residual, out, arena).ok());
    above = out.view();
  }
  CHECK(out.view().shape == Shape{1, kSize, kSize});
  CHECK(largestError(out.floats(), product) <= 1e-6);
}

TEST_CASE("what is above a layer of a rollout is float32", "[positions]") {
  Random random(34);
  Owned<float> layer = normal(random, {2, 5, 5});
  Owned<uint16_t> halves{{5, 5}, std::vector<uint16_t>(25)};
  Arena arena;
  Output out;
  const Status status = rolloutStep(layer.view(), halves.view(), HeadFusion::kMean, true, out, arena);
  CHECK(status.code() == ErrorCode::kUnsupportedDtype);
}

}  // namespace attention::test
