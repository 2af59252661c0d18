#include "stored.hpp"

#include <catch2/generators/catch_generators.hpp>

namespace attention::test {
namespace {

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat16, DType::kInt8};

void check(Random& random, const Sizes& sizes, DType key, DType value, Causal causal) {
  AttentionCase attention = makeCase(random, sizes);
  Stored keys, values;
  storeKeys(random, key, attention, keys);
  storeValues(random, value, attention, values);
  attention.options.causal = causal;
  attention.options.weights = Stage::kProbabilities;
  attention.options.logSumExp = true;
  INFO("k " << nameOf(key) << ", v " << nameOf(value) << ", queries " << sizes.queries << ", keys "
            << sizes.keys << ", group " << sizes.heads / sizes.kvHeads << ", D " << sizes.headDim << ", Dv "
            << sizes.valueDim);
  const AttentionCase::Errors errors = attention.run();
  CHECK(errors.output <= attention.tolerance());
  CHECK(errors.weights <= 2e-6);
  CHECK(errors.logSumExp <= 1e-5);
}

}  // namespace

TEST_CASE("few queries of every stored type, for each length of keys", "[stored]") {
  Random random(1);
  const size_t queries = GENERATE(size_t{1}, size_t{2}, size_t{5}, size_t{8}, size_t{9});
  for (DType key : kTypes) {
    for (DType value : kTypes) {
      for (size_t keys : Lengths{1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 127, 128, 129, 257}) {
        check(random, {.queries = queries, .keys = keys, .headDim = 32, .valueDim = 16}, key, value,
              Causal::kLowerRight);
      }
    }
  }
}

TEST_CASE("heads that share stored keys and values", "[stored]") {
  Random random(2);
  const size_t group = GENERATE(size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{8}, size_t{32});
  for (DType type : kTypes) {
    for (size_t queries : Lengths{1, 2, 3, 4}) {
      const Sizes sizes{.batch = 2,
                        .heads = 2 * group,
                        .kvHeads = 2,
                        .queries = queries,
                        .keys = 37,
                        .headDim = 16,
                        .valueDim = 32};
      check(random, sizes, type, type, Causal::kNone);
      check(random, sizes, type, type, Causal::kLowerRight);
    }
  }
}

TEST_CASE("stored types where rows are packed", "[stored]") {
  Random random(3);
  for (DType key : kTypes) {
    for (DType value : kTypes) {
      for (size_t size : Lengths{1, 7, 8, 9, 33}) {
        check(random, {.queries = 3, .keys = 130, .headDim = size, .valueDim = 9}, key, value, Causal::kTrue);
        check(random, {.queries = 70, .keys = 130, .headDim = 8, .valueDim = size}, key, value,
              Causal::kTrue);
      }
    }
  }
}

TEST_CASE("a masked factor that is not a number stays behind the mask", "[stored]") {
  Random random(4);
  const float poison = GENERATE(kNaN, kInfinity);
  const size_t queries = GENERATE(size_t{1}, size_t{70});
  AttentionCase attention = makeCase(random, {.queries = queries, .keys = 20, .headDim = 16, .valueDim = 16});
  Stored keys, values;
  storeKeys(random, DType::kInt8, attention, keys);
  storeValues(random, DType::kInt8, attention, values);
  Owned<uint8_t> mask{{20}, std::vector<uint8_t>(20, 1)};
  mask.values[7] = 0;
  attention.options.mask = mask.view();
  keys.scales.values[7] = values.scales.values[7] = poison;
  CHECK(attention.run().output <= attention.tolerance());
}

}  // namespace attention::test
