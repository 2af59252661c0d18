#include <catch2/catch_test_macros.hpp>

#include "attention_case.hpp"
#include "block_words.hpp"

namespace attention::test {
namespace {

struct Packed {
  size_t heads = 4, kvHeads = 2, headDim = 12, valueDim = 9;
  std::vector<int32_t> queryStarts, keyStarts;
  Owned<float> q, k, v;

  size_t sequences() const { return queryStarts.size() - 1; }
};

/// Sequences around the sizes of tiles and blocks, some of them empty.
Packed makePacked(Random& random, size_t sequences) {
  Packed packed;
  packed.queryStarts = packed.keyStarts = {0};
  for (size_t b = 0; b < sequences; ++b) {
    const auto length = [&] {
      return static_cast<int32_t>(chance(random, 0.15) ? 0
                                                       : between(random, 1, chance(random, 0.2) ? 200 : 20));
    };
    packed.queryStarts.push_back(packed.queryStarts.back() + length());
    packed.keyStarts.push_back(packed.keyStarts.back() + length());
  }
  const auto queries = static_cast<size_t>(packed.queryStarts.back());
  const auto keys = static_cast<size_t>(packed.keyStarts.back());
  packed.q = normal(random, {queries, packed.heads, packed.headDim});
  packed.k = normal(random, {keys, packed.kvHeads, packed.headDim});
  packed.v = normal(random, {keys, packed.kvHeads, packed.valueDim});
  return packed;
}

/// Rows [begin,end) of [T,heads,size] as one batch entry [1,rows,heads,size].
Owned<float> slice(const Owned<float>& x, int32_t begin, int32_t end) {
  const size_t row = x.shape[1] * x.shape[2];
  return {{1, static_cast<size_t>(end - begin), x.shape[1], x.shape[2]},
          {x.values.begin() + begin * static_cast<ptrdiff_t>(row),
           x.values.begin() + end * static_cast<ptrdiff_t>(row)}};
}

/// Each sequence by itself gives the same output and logSumExp, to the bit: the kernel sees the same blocks.
void checkAgainstSingleCalls(Packed& packed, const AttentionOptions& options,
                             const std::vector<std::vector<int32_t>>& maps = {}) {
  Arena arena;
  AttentionOutputs together;
  REQUIRE(variableLengthAttention(packed.q.view(), packed.k.view(), packed.v.view(), packed.queryStarts,
                                  packed.keyStarts, options, together, arena)
              .ok());
  const auto total = static_cast<size_t>(packed.queryStarts.back());
  CHECK(together.output.view().shape == Shape{total, packed.heads, packed.valueDim});
  CHECK(together.logSumExp.view().shape == Shape{packed.heads, total});
  for (size_t b = 0; b < packed.sequences(); ++b) {
    const int32_t first = packed.queryStarts[b], end = packed.queryStarts[b + 1];
    Owned<float> q = slice(packed.q, first, end);
    Owned<float> k = slice(packed.k, packed.keyStarts[b], packed.keyStarts[b + 1]);
    Owned<float> v = slice(packed.v, packed.keyStarts[b], packed.keyStarts[b + 1]);
    AttentionOptions own = options;
    own.layout = Layout::kBSHD;
    if (options.queryOffsets) own.queryOffsets = options.queryOffsets->subspan(b, 1);
    if (options.kvLengths) own.kvLengths = options.kvLengths->subspan(b, 1);
    if (!maps.empty()) own.blockMap = maps[b];
    AttentionOutputs alone;
    REQUIRE(scaledDotProductAttention(q.view(), k.view(), v.view(), own, alone, arena).ok());
    INFO("sequence " << b << ": " << end - first << " queries");
    const auto rows = static_cast<size_t>(end - first);
    for (size_t i = 0; i < rows * packed.heads * packed.valueDim; ++i) {
      const size_t at = static_cast<size_t>(first) * packed.heads * packed.valueDim + i;
      CHECK(std::abs(together.output.floats()[at] - alone.output.floats()[i]) <= 2e-6f * 5);
    }
    for (size_t h = 0; h < packed.heads; ++h) {
      for (size_t i = 0; i < rows; ++i) {
        const float got = together.logSumExp.floats()[h * total + static_cast<size_t>(first) + i];
        const float wanted = alone.logSumExp.floats()[h * rows + i];
        CHECK((got == wanted || std::abs(got - wanted) <= 1e-5f));
      }
    }
  }
}

}  // namespace

TEST_CASE("packed sequences are as each by itself", "[variable]") {
  Random random(71);
  for (int at = 0; at < 25; ++at) {
    Packed packed = makePacked(random, between(random, 1, 6));
    AttentionOptions options;
    options.logSumExp = true;
    options.causal = static_cast<Causal>(at % 4);
    if (at % 3 == 0) options.window = {10, 3};
    options.alibi = at % 5 == 0;
    std::vector<int32_t> offsets, lengths;
    for (size_t b = 0; b < packed.sequences(); ++b) {
      offsets.push_back(static_cast<int32_t>(between(random, 0, 8)) - 4);
      lengths.push_back(static_cast<int32_t>(
          between(random, 0, static_cast<size_t>(packed.keyStarts[b + 1] - packed.keyStarts[b]))));
    }
    if (options.causal <= Causal::kTrue && at % 2 == 0) options.queryOffsets = offsets;
    if (at % 4 == 1) options.kvLengths = lengths;
    checkAgainstSingleCalls(packed, options);
  }
}

TEST_CASE("packed sequences have planes of their own in a block map", "[variable]") {
  Random random(72);
  Packed packed = makePacked(random, 5);
  std::vector<DensePlane> planes;
  std::vector<std::vector<int32_t>> maps;
  for (size_t b = 0; b < packed.sequences(); ++b) {
    const auto queries = static_cast<size_t>(packed.queryStarts[b + 1] - packed.queryStarts[b]);
    const auto keys = static_cast<size_t>(packed.keyStarts[b + 1] - packed.keyStarts[b]);
    planes.push_back({randomBlocks(random, queries, keys), queries, keys});
    maps.push_back(blockWords({planes.back()}, 1, 1));
  }
  const std::vector<int32_t> words = blockWords(planes, packed.sequences(), 1);
  AttentionOptions options;
  options.logSumExp = true;
  options.blockMap = words;
  checkAgainstSingleCalls(packed, options, maps);
}

TEST_CASE("prefix sums that do not fit are refused by name", "[variable]") {
  Random random(73);
  Packed packed = makePacked(random, 3);
  Arena arena;
  const auto refusal = [&](std::vector<int32_t> q, std::vector<int32_t> k) {
    AttentionOutputs outputs;
    const Status status =
        variableLengthAttention(packed.q.view(), packed.k.view(), packed.v.view(), q, k, {}, outputs, arena);
    REQUIRE_FALSE(status.ok());
    return std::string(status.argument());
  };
  std::vector<int32_t> tooLong = packed.queryStarts, falling = packed.keyStarts, fewer = packed.keyStarts;
  tooLong.back() += 1;
  falling[1] = falling.back() + 1;
  fewer.erase(fewer.begin() + 1);
  CHECK(refusal(tooLong, packed.keyStarts) == "options.cuSeqlensQ");
  CHECK(refusal({}, packed.keyStarts) == "options.cuSeqlensQ");
  CHECK(refusal(packed.queryStarts, falling) == "options.cuSeqlensKv");
  CHECK(refusal(packed.queryStarts, fewer) == "options.cuSeqlensKv");
}

}  // namespace attention::test
