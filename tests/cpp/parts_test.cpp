#include "runtime/parts.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <functional>

#include "attention_case.hpp"
#include "runtime/threads.hpp"

namespace attention::test {
namespace {

using Values = std::vector<float>;
using Call = std::function<Values(Arena&)>;

/// Until the test ends, however it does.
struct PartsOfATest {
  ~PartsOfATest() { parts.end(); }
};

Values valuesOf(const Output& output) {
  const float* values = output.floats();
  return {values, values + output.view().count()};
}

/// The call's result by parts of `most` items, and how many there were.
Values inParts(size_t most, const Call& call, size_t* count = nullptr) {
  const PartsOfATest ended;
  Arena arena;
  [[maybe_unused]] void* staged = arena.allocate(1000);
  const Arena::Mark start = arena.mark();
  Values values;
  size_t made = 0;
  do {
    arena.rewind(start);
    parts.begin(most);
    values = call(arena);
    CHECK(parts.itemsDone() == std::min(parts.items(), ++made * most));
  } while (!parts.isWhole());
  if (count != nullptr) *count = made;
  return values;
}

/// Equal to the bit, whatever the parts: each item does the same, and only once.
void checkParts(const Call& call) {
  Arena arena;
  const Values whole = call(arena);
  size_t items = 0;
  CHECK(inParts(1, call, &items) == whole);
  CHECK(items > 2);
  for (const size_t most : {size_t{2}, size_t{3}, items - 1, items, items + 1}) {
    CAPTURE(most, items);
    size_t made = 0;
    CHECK(inParts(most, call, &made) == whole);
    CHECK(made == (items + most - 1) / most);
  }
}

Values append(Values values, const Output& more) {
  const Values others = valuesOf(more);
  values.insert(values.end(), others.begin(), others.end());
  return values;
}

}  // namespace

TEST_CASE("Attention in parts", "[parts]") {
  Random random(1);
  AttentionCase c = makeCase(random, {2, 4, 2, 150, 170, 24, 40});
  c.options.causal = Causal::kLowerRight;
  c.options.weights = Stage::kProbabilities;
  c.options.logSumExp = true;
  checkParts([&](Arena& arena) {
    AttentionOutputs outputs;
    REQUIRE(scaledDotProductAttention(c.q.view(), c.k.view(), c.v.view(), c.options, outputs, arena).ok());
    return append(append(valuesOf(outputs.output), outputs.weights), outputs.logSumExp);
  });
}

TEST_CASE("Packed sequences in parts", "[parts]") {
  Random random(2);
  Owned<float> q = normal(random, {300, 2, 16}), k = normal(random, {200, 2, 16}),
               v = normal(random, {200, 2, 16});
  const std::vector<int32_t> queryStarts{0, 130, 131, 300}, keyStarts{0, 70, 150, 200};
  checkParts([&](Arena& arena) {
    AttentionOutputs outputs;
    REQUIRE(variableLengthAttention(q.view(), k.view(), v.view(), queryStarts, keyStarts, {}, outputs, arena)
                .ok());
    return valuesOf(outputs.output);
  });
}

TEST_CASE("A map in parts", "[parts]") {
  Random random(3);
  Owned<float> q = normal(random, {1, 3, 200, 16}), k = normal(random, {1, 3, 180, 16});
  const AttentionMapOptions map{
      .rows = Range{3, 190}, .columns = Range{0, 170}, .mapRows = 10, .mapColumns = 7};
  checkParts([&](Arena& arena) {
    Output out;
    REQUIRE(attentionMap(q.view(), k.view(), {}, map, out, arena).ok());
    return valuesOf(out);
  });
}

TEST_CASE("Linear attention in parts", "[parts]") {
  Random random(4);
  const bool causal = GENERATE(false, true);
  AttentionCase c = makeCase(random, {2, 2, 1, 90, 100, 8, 12});
  if (causal) c.options.causal = Causal::kUpperLeft;
  checkParts([&](Arena& arena) {
    Output out;
    REQUIRE(
        linearAttention(c.q.view(), c.k.view(), c.v.view(), c.options, FeatureMap::kEluPlusOne, out, arena)
            .ok());
    return valuesOf(out);
  });
}

TEST_CASE("A gated feed-forward layer in parts", "[parts]") {
  Random random(5);
  Owned<float> x = normal(random, {2, 250, 12}), up = normal(random, {40, 12}),
               gate = normal(random, {40, 12}), down = normal(random, {12, 40});
  checkParts([&](Arena& arena) {
    Output out;
    const FeedForwardWeights weights{up.view(), down.view(), gate.view(), {}, {}, {}};
    REQUIRE(feedForward(x.view(), weights, Activation::kSilu, out, arena).ok());
    return valuesOf(out);
  });
}

TEST_CASE("A linear layer and a step of rollout in parts", "[parts]") {
  Random random(6);
  Owned<float> x = normal(random, {600, 12}), weight = normal(random, {40, 12});
  checkParts([&](Arena& arena) {
    Output out;
    REQUIRE(linear(x.view(), weight.view(), {}, out, arena).ok());
    return valuesOf(out);
  });
  Owned<float> layer = normal(random, {2, 4, 30, 30}), above = normal(random, {2, 30, 30});
  checkParts([&](Arena& arena) {
    Output out;
    REQUIRE(rolloutStep(layer.view(), above.view(), HeadFusion::kMax, true, out, arena).ok());
    return valuesOf(out);
  });
}

namespace {

struct Decoding {
  KvCacheConfig config{.batch = 1, .kvHeads = 2, .headDim = 8, .valueDim = 8, .capacity = 300};
  std::unique_ptr<KvCache> cache = KvCache::create(config);
  Owned<float> keys, values;

  explicit Decoding(Random& random)
      : keys(normal(random, {1, 2, 100, 8})), values(normal(random, {1, 2, 100, 8})) {
    REQUIRE(cache->append(keys.view(), values.view(), Layout::kBHSD, 0).ok());
  }

  Values contents() const {
    Arena arena;
    Output k, v;
    REQUIRE(cache->read(k, v, arena).ok());
    return append(valuesOf(k), v);
  }
};

}  // namespace

TEST_CASE("A cache takes what came once the last part is done", "[parts]") {
  Random random(7);
  Decoding given(random);
  Owned<float> q = normal(random, {1, 4, 130, 8}), k = normal(random, {1, 2, 130, 8}),
               v = normal(random, {1, 2, 130, 8});
  Owned<float> x = normal(random, {1, 130, 8}), wq = normal(random, {32, 8}), wk = normal(random, {16, 8});
  const bool isProjected = GENERATE(false, true);
  const auto attend = [&](KvCache& cache, Arena& arena) {
    AttentionOutputs outputs;
    AttentionOptions options;
    if (isProjected) {
      options.numHeads = 4;
      options.numKvHeads = 2;
      const ProjectionWeights weights{wq.view(), wk.view(), wk.view(), {}, {}, {}, {}, {}};
      REQUIRE(projectedAttention({x.view(), {}, {}}, weights, options, outputs, arena, &cache).ok());
    } else {
      REQUIRE(cache.attend(q.view(), k.view(), v.view(), options, outputs, arena).ok());
    }
    return valuesOf(outputs.output);
  };
  const std::unique_ptr<KvCache> whole = given.cache->fork();
  Arena arena;
  const Values wanted = attend(*whole, arena);
  CHECK(whole->length() == 230);

  SECTION("all parts") {
    const size_t most = GENERATE(size_t{1}, size_t{2}, size_t{5});
    const size_t before = given.cache->length();
    size_t made = 0;
    const Call call = [&](Arena& memory) {
      if (made++ != 0) CHECK(given.cache->length() == before);
      return attend(*given.cache, memory);
    };
    CHECK(inParts(most, call) == wanted);
    CHECK(made > 1);
    CHECK(given.cache->length() == 230);
    CHECK(given.cache->byteLength() == whole->byteLength());
  }

  SECTION("given up after some") {
    const Values before = given.contents();
    const size_t bytes = given.cache->byteLength();
    {
      const PartsOfATest ended;
      const size_t count = GENERATE(size_t{1}, size_t{2}, size_t{3});
      Arena memory;
      for (size_t part = 0; part < count; ++part) {
        memory.rewind({});
        parts.begin(1);
        attend(*given.cache, memory);
        CHECK_FALSE(parts.isWhole());
      }
    }
    given.cache->end(0);
    CHECK(given.contents() == before);
    CHECK(given.cache->byteLength() == bytes);
    Arena other;
    CHECK(attend(*given.cache, other) == wanted);
  }
}

TEST_CASE("An arena gives the same memory after a rewind", "[parts]") {
  Arena arena;
  const Lengths before{10, 70'000}, after{100, 200'000, 64, 3'000'000, 50'000};
  for (const size_t size : before) REQUIRE(arena.allocate(size) != nullptr);
  const Arena::Mark mark = arena.mark();
  std::vector<void*> places;
  for (const size_t size : after) {
    places.push_back(arena.allocate(size));
    REQUIRE(places.back() != nullptr);
    std::memset(places.back(), static_cast<int>(places.size()), size);
  }
  const size_t most = arena.highWater();
  for (int time = 0; time < 3; ++time) {
    arena.rewind(mark);
    size_t next = 0;
    for (const size_t size : after) {
      const auto* place = static_cast<const unsigned char*>(arena.allocate(size));
      REQUIRE(place == places[next]);
      CHECK(place[0] == next + 1);
      CHECK(place[size - 1] == next + 1);
      ++next;
    }
    CHECK(arena.highWater() == most);
  }
  arena.rewind(mark);
  CHECK(arena.allocate(5'000'000) != nullptr);
  arena.reset();
  CHECK(arena.allocate(1) != nullptr);
}

TEST_CASE("Parts on several threads", "[parts][threads]") {
  REQUIRE(startThreads(3));
  Random random(8);
  AttentionCase c = makeCase(random, {2, 4, 2, 256, 256, 32, 32});
  checkParts([&](Arena& arena) {
    AttentionOutputs outputs;
    REQUIRE(scaledDotProductAttention(c.q.view(), c.k.view(), c.v.view(), c.options, outputs, arena).ok());
    return valuesOf(outputs.output);
  });
  stopThreads();
}

}  // namespace attention::test
