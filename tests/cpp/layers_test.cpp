#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <numbers>

#include "case.hpp"
#include "runtime/half.hpp"

namespace attention::test {
namespace {

std::vector<double> widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

double meanOf(const std::vector<double>& row) {
  double sum = 0;
  for (double value : row) sum += value;
  return sum / static_cast<double>(row.size());
}

}  // namespace

TEST_CASE("softmax over each axis", "[layers]") {
  Random random(21);
  Owned<float> x = normal(random, {3, 5, 7}, 4.0f);
  for (int axis = -3; axis < 3; ++axis) {
    Arena arena;
    Output out;
    REQUIRE(softmax(x.view(), axis, out, arena).ok());
    const int from = axis < 0 ? axis + 3 : axis;
    const size_t n = x.shape[from], inner = from == 0 ? 35 : from == 1 ? 7 : 1;
    std::vector<double> wanted(x.values.size());
    for (size_t at = 0; at < wanted.size(); ++at) {
      const size_t first = at - at / inner % n * inner;
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x.values[first + i * inner]));
      wanted[at] = std::exp(static_cast<double>(x.values[at])) / sum;
    }
    CHECK(largestError(out.floats(), wanted) <= 1e-6);
  }
}

TEST_CASE("softmax keeps large values apart", "[layers]") {
  Owned<float> x{{2}, {3e38f, 2e38f}};
  Arena arena;
  Output out;
  REQUIRE(softmax(x.view(), -1, out, arena).ok());
  CHECK(out.floats()[0] == 1.0f);
  CHECK(out.floats()[1] == 0.0f);
}

TEST_CASE("layerNorm of rows of every length, far from zero too", "[layers]") {
  Random random(22);
  for (size_t n = 1; n < 20; ++n) {
    Owned<float> x = normal(random, {4, n}), weight = normal(random, {n}), bias = normal(random, {n});
    for (float& value : x.values) value += 100.0f;
    Arena arena;
    Output out;
    REQUIRE(layerNorm(x.view(), weight.view(), bias.view(), -1, 1e-5f, out, arena).ok());
    std::vector<double> wanted;
    for (size_t r = 0; r < 4; ++r) {
      const std::vector<double> row(x.values.begin() + static_cast<ptrdiff_t>(r * n),
                                    x.values.begin() + static_cast<ptrdiff_t>((r + 1) * n));
      const double mean = meanOf(row);
      std::vector<double> squares;
      for (double value : row) squares.push_back((value - mean) * (value - mean));
      for (size_t i = 0; i < n; ++i) {
        const double normalised = (row[i] - mean) / std::sqrt(meanOf(squares) + 1e-5);
        wanted.push_back(normalised * static_cast<double>(weight.values[i]) +
                         static_cast<double>(bias.values[i]));
      }
    }
    // x - mean loses 100·2⁻²⁴, and the smallest deviation met here is about 0.05.
    CHECK(largestError(out.floats(), wanted) <= 5e-4);
  }
}

TEST_CASE("activations over their whole range", "[layers]") {
  Owned<float> x{{4001}, {}};
  for (int i = -2000; i <= 2000; ++i) x.values.push_back(static_cast<float>(i) * 0.005f);
  const auto check = [&](Activation kind, double tolerance, auto formula) {
    std::vector<double> wanted;
    for (float value : x.values) wanted.push_back(formula(static_cast<double>(value)));
    Arena arena;
    Output out;
    REQUIRE(activation(kind, x.view(), out, arena).ok());
    INFO("activation " << static_cast<int>(kind));
    CHECK(largestError(out.floats(), wanted) <= tolerance);
  };
  check(Activation::kRelu, 0, [](double v) { return std::max(v, 0.0); });
  check(Activation::kGelu, 2e-6, [](double v) { return v / 2 * (1 + std::erf(v / std::sqrt(2.0))); });
  check(Activation::kGeluTanh, 2e-6, [](double v) {
    return v / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v)));
  });
  check(Activation::kSilu, 2e-6, [](double v) { return v / (1 + std::exp(-v)); });
  check(Activation::kTanh, 5e-7, [](double v) { return std::tanh(v); });
  check(Activation::kSigmoid, 5e-7, [](double v) { return 1 / (1 + std::exp(-v)); });
  check(Activation::kSoftplus, 2e-6,
        [](double v) { return std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v))); });
}

TEST_CASE("rmsNorm of rows of every length around the lanes", "[layers]") {
  Random random(25);
  for (size_t n : std::initializer_list<size_t>{1, 3, 4, 5, 8, 17, 64}) {
    Owned<float> x = normal(random, {3, n}, 5.0f), weight = normal(random, {n});
    std::vector<double> wanted;
    for (size_t row = 0; row < 3; ++row) {
      double square = 0;
      for (size_t i = 0; i < n; ++i) square += std::pow(static_cast<double>(x.values[row * n + i]), 2);
      for (size_t i = 0; i < n; ++i) {
        wanted.push_back(static_cast<double>(x.values[row * n + i]) /
                         std::sqrt(square / static_cast<double>(n) + 1e-5) *
                         static_cast<double>(weight.values[i]));
      }
    }
    Arena arena;
    Output out;
    REQUIRE(rmsNorm(x.view(), weight.view(), -1, 1e-5f, out, arena).ok());
    CHECK(largestError(out.floats(), wanted) <= 4e-6);
  }
}

TEST_CASE("layerNorm far from zero errs as near it", "[layers]") {
  Random random(26);
  for (const float mean : {0.0f, 1e3f, 1e5f, 1e6f, -3e6f}) {
    for (const size_t n : {4u, 37u, 384u, 4096u, 32768u}) {
      Owned<float> x = normal(random, {1, n});
      for (float& value : x.values) value += mean;
      const std::vector<double> row = widened(x.values);
      const double center = meanOf(row);
      std::vector<double> squares, wanted;
      for (double value : row) squares.push_back((value - center) * (value - center));
      for (double value : row) wanted.push_back((value - center) / std::sqrt(meanOf(squares) + 1e-5));
      Arena arena;
      Output out;
      REQUIRE(layerNorm(x.view(), std::nullopt, std::nullopt, -1, 1e-5f, out, arena).ok());
      INFO("mean " << mean << ", " << n << " values");
      // Sums of n residuals err by some √n roundings of their size; the values themselves are below 5.
      CHECK(largestError(out.floats(), wanted) <= 4e-6);
    }
  }
}

TEST_CASE("l2Normalize over each axis, whatever the values' size", "[layers]") {
  Random random(27);
  for (const float size : {1.0f, 1e30f, 1e-30f}) {
    Owned<float> x = normal(random, {3, 4, 5}, size);
    for (int axis = -3; axis < 3; ++axis) {
      const int from = axis < 0 ? axis + 3 : axis;
      const size_t n = x.shape[from], inner = from == 0 ? 20 : from == 1 ? 5 : 1;
      std::vector<double> wanted;
      for (size_t at = 0; at < x.values.size(); ++at) {
        double squares = 0;
        for (size_t i = 0; i < n; ++i)
          squares += std::pow(static_cast<double>(x.values[at - at / inner % n * inner + i * inner]), 2);
        wanted.push_back(static_cast<double>(x.values[at]) / std::sqrt(squares));
      }
      Arena arena;
      Output out;
      REQUIRE(l2Normalize(x.view(), axis, 1e-38, out, arena).ok());
      CHECK(largestError(out.floats(), wanted) <= 6e-8);
    }
  }
}

TEST_CASE("binary broadcasts from the right", "[layers]") {
  Random random(23);
  Owned<float> x = normal(random, {2, 1, 3}), y = normal(random, {4, 1});
  for (const Binary kind : {Binary::kAdd, Binary::kMultiply}) {
    Arena arena;
    Output out;
    REQUIRE(binary(kind, x.view(), y.view(), out, arena).ok());
    CHECK(out.view().shape == Shape{2, 4, 3});
    std::vector<double> wanted;
    for (size_t i = 0; i < 24; ++i) {
      const float left = x.values[i / 12 * 3 + i % 3], right = y.values[i / 3 % 4];
      wanted.push_back(static_cast<double>(kind == Binary::kAdd ? left + right : left * right));
    }
    CHECK(largestError(out.floats(), wanted) == 0);
    Owned<float> wrong = normal(random, {2, 2});
    Output refused;
    CHECK(binary(kind, x.view(), wrong.view(), refused, arena).code() == ErrorCode::kShapeMismatch);
  }
}

TEST_CASE("binary writes onto either input, and onto no part of one", "[layers]") {
  Random random(28);
  Owned<float> x = normal(random, {3, 5}), y = normal(random, {3, 5});
  std::vector<double> wanted;
  for (size_t i = 0; i < 15; ++i) wanted.push_back(static_cast<double>(x.values[i] + y.values[i]));
  Arena arena;
  Output onto = Output::into(y.view());
  REQUIRE(binary(Binary::kAdd, x.view(), y.view(), onto, arena).ok());
  CHECK(largestError(y.values.data(), wanted) == 0);
  Owned<float> longer = normal(random, {20});
  const TensorView part = TensorView::contiguous(longer.values.data() + 5, DType::kFloat32, {3, 5});
  const TensorView before = TensorView::contiguous(longer.values.data(), DType::kFloat32, {3, 5});
  Output overlapping = Output::into(part);
  CHECK(binary(Binary::kAdd, x.view(), before, overlapping, arena).code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("concat and slice along each axis", "[layers]") {
  Random random(29);
  for (int axis = -3; axis < 3; ++axis) {
    const int at = axis < 0 ? axis + 3 : axis;
    Shape small{2, 3, 4}, large{2, 3, 4};
    small[at] = 1;
    large[at] = 5;
    Owned<float> x = normal(random, small), y = normal(random, large);
    const TensorView both[] = {x.view(), y.view()};
    Arena arena;
    Output out;
    REQUIRE(concat(both, axis, out, arena).ok());
    Shape shape = small;
    shape[at] = 6;
    CHECK(out.view().shape == shape);
    for (const auto& [part, range] : {std::pair{&x, Range{0, 1}}, std::pair{&y, Range{1, 6}}}) {
      Output back;
      REQUIRE(slice(out.view(), axis, range, back, arena).ok());
      CHECK(back.view().shape == part->shape);
      CHECK(largestError(back.floats(), widened(part->values)) == 0);
    }
    const size_t inner = at == 0 ? 12 : at == 1 ? 4 : 1;
    for (size_t i = 0; i < out.view().count(); ++i) {
      const size_t row = i / (6 * inner), index = i / inner % 6, rest = i % inner;
      const float wanted =
          index == 0 ? x.values[row * inner + rest] : y.values[(row * 5 + index - 1) * inner + rest];
      REQUIRE(out.floats()[i] == wanted);
    }
  }
}

TEST_CASE("embedding gathers rows and refuses ids outside", "[layers]") {
  Random random(24);
  Owned<float> table = normal(random, {5, 3});
  Owned<int32_t> ids{{4}, {4, 0, 0, 2}};
  Arena arena;
  Output out;
  REQUIRE(embedding(ids.view(), table.view(), out, arena).ok());
  std::vector<float> wanted;
  for (int32_t id : ids.values) {
    for (size_t d = 0; d < 3; ++d) wanted.push_back(table.values[static_cast<size_t>(id) * 3 + d]);
  }
  CHECK(largestError(out.floats(), widened(wanted)) == 0);
  ids.values[2] = GENERATE_COPY(5, -1);
  Output refused;
  const Status status = embedding(ids.view(), table.view(), refused, arena);
  CHECK(status.code() == ErrorCode::kInvalidArgument);
  CHECK(std::string(status.argument()) == "ids");
}

TEST_CASE("every half widens exactly", "[layers]") {
  size_t wrong = 0;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const double mantissa = bits & 1023;
    double wanted = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) wanted = mantissa == 0 ? INFINITY : NAN;
    if (bits >> 15 != 0) wanted = -wanted;
    const auto got = static_cast<double>(halfToFloat(static_cast<uint16_t>(bits)));
    if (!(got == wanted || (std::isnan(got) && std::isnan(wanted)))) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("feedForward with and without a gate, over more rows than a chunk", "[layers]") {
  Random random(25);
  const bool gated = GENERATE(true, false);
  Owned<float> x = normal(random, {130, 6}), up = normal(random, {10, 6}), gate = normal(random, {10, 6});
  Owned<float> down = normal(random, {6, 10}), upBias = normal(random, {10});
  Arena arena;
  Output out;
  const FeedForwardWeights weights{
      up.view(), down.view(), gated ? std::optional(gate.view()) : std::nullopt, upBias.view(), {}, {}};
  REQUIRE(feedForward(x.view(), weights, Activation::kRelu, out, arena).ok());
  std::vector<double> wanted(130 * 6);
  for (size_t r = 0; r < 130; ++r) {
    for (size_t f = 0; f < 10; ++f) {
      double lifted = static_cast<double>(upBias.values[f]), opened = 0;
      for (size_t e = 0; e < 6; ++e) {
        lifted += static_cast<double>(x.values[r * 6 + e]) * static_cast<double>(up.values[f * 6 + e]);
        opened += static_cast<double>(x.values[r * 6 + e]) * static_cast<double>(gate.values[f * 6 + e]);
      }
      const double hidden = gated ? std::max(0.0, opened) * lifted : std::max(0.0, lifted);
      for (size_t e = 0; e < 6; ++e)
        wanted[r * 6 + e] += hidden * static_cast<double>(down.values[e * 10 + f]);
    }
  }
  CHECK(largestError(out.floats(), wanted) <= 1e-4);
}

}  // namespace attention::test
