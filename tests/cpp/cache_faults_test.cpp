// Memory that runs out in the life of a cache: what lives on is as it was.
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <string>

#include "cache_twin.hpp"
#include "faults.hpp"

namespace attention::test {
namespace {

/// A cache in the middle of its life; made anew it is the same.
struct LivingCache {
  Random random{3};
  std::unique_ptr<KvCache> cache;
  Owned<float> q, k, v;
  Owned<float> x, query, key, value;

  explicit LivingCache(DType dtype, size_t window) {
    const KvCacheConfig config{.batch = 2,
                               .kvHeads = 2,
                               .headDim = 8,
                               .valueDim = 5,
                               .capacity = window == 0 ? size_t{60} : 30,
                               .window = window,
                               .sinkTokens = window == 0 ? size_t{0} : 4,
                               .dtype = dtype};
    cache = KvCache::create(config);
    k = normal(random, {2, 2, 20, 8});
    v = normal(random, {2, 2, 20, 5});
    q = normal(random, {2, 4, 20, 8});
    x = normal(random, {2, 20, 6});
    query = normal(random, {32, 6});
    key = normal(random, {16, 6});
    value = normal(random, {10, 6});
    REQUIRE(cache->append(k.view(), v.view(), Layout::kBHSD, 0).ok());
  }

  Numbers contents() const {
    Arena arena;
    Results results{arena, {}};
    Output keys, values;
    REQUIRE(results.take(cache->read(keys, values, arena), {&keys, &values}).ok());
    results.numbers.push_back(static_cast<float>(cache->length()));
    results.numbers.push_back(static_cast<float>(cache->byteLength()));
    return results.numbers;
  }
};

using CacheOperation = std::function<Status(LivingCache&, Results&)>;

const std::map<std::string, CacheOperation>& cacheOperations() {
  static const std::map<std::string, CacheOperation> operations{
      {"append",
       [](LivingCache& l, Results&) { return l.cache->append(l.k.view(), l.v.view(), Layout::kBHSD, 0); }},
      {"append to what is shared",
       [](LivingCache& l, Results&) {
         const std::unique_ptr<KvCache> fork = l.cache->fork();
         if (!fork) return outOfMemory("");
         return fork->append(l.k.view(), l.v.view(), Layout::kBHSD, 0);
       }},
      {"attend",
       [](LivingCache& l, Results& r) {
         return r.attend([&](AttentionOutputs& out) {
           return l.cache->attend(l.q.view(), l.k.view(), l.v.view(), everyOutput(Causal::kTrue), out,
                                  r.arena);
         });
       }},
      {"projections",
       [](LivingCache& l, Results& r) {
         const ProjectionWeights weights{l.query.view(), l.key.view(), l.value.view(), std::nullopt};
         AttentionOptions options = everyOutput(Causal::kTrue);
         options.numHeads = 4;
         options.numKvHeads = 2;
         return r.attend([&](AttentionOutputs& out) {
           return projectedAttention({l.x.view()}, weights, options, out, r.arena, l.cache.get());
         });
       }},
      {"fork", [](LivingCache& l, Results&) { return l.cache->fork() ? Status() : outOfMemory(""); }},
      {"reorder",
       [](LivingCache& l, Results&) {
         const std::vector<int32_t> batch{1, 1};
         return l.cache->reorder(batch);
       }},
      {"read",
       [](LivingCache& l, Results& r) {
         Output keys, values;
         return r.take(l.cache->read(keys, values, r.arena), {&keys, &values});
       }},
      {"save and load",
       [](LivingCache& l, Results& r) {
         Output bytes;
         ATTENTION_RETURN_IF_ERROR(l.cache->save(bytes, r.arena));
         return l.cache->load(
             {static_cast<const std::byte*>(bytes.view().data), bytes.view().count() * sizeof(float)});
       }},
  };
  return operations;
}

}  // namespace

TEST_CASE("a cache whose allocations fail is as it was", "[faults]") {
  size_t tried = 0;
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kInt8}) {
    for (const size_t window : {size_t{0}, size_t{24}}) {
      for (const auto& [name, operation] : cacheOperations()) {
        INFO(name << ", " << nameOf(dtype) << ", window " << window);
        const auto run = [&](LivingCache& living, size_t n, Numbers* numbers) {
          return attempt([&](Results& r) { return operation(living, r); }, n, numbers);
        };
        Numbers wanted, got;
        LivingCache whole(dtype, window);
        REQUIRE(run(whole, SIZE_MAX, &wanted).ok());
        const size_t all = faults.allocations;
        REQUIRE(all > 0);
        for (size_t n = 1; n <= all; ++n, ++tried) {
          INFO("allocation " << n << " of " << all);
          LivingCache living(dtype, window);
          const Numbers before = living.contents();
          REQUIRE(run(living, n, &got).code() == ErrorCode::kOutOfMemory);
          REQUIRE(same(living.contents(), before));
          REQUIRE(run(living, SIZE_MAX, &got).ok());
          REQUIRE(same(got, wanted));
          REQUIRE(same(living.contents(), whole.contents()));
        }
      }
    }
  }
  CHECK(tried >= 350);  // docs/reliability.md
  WARN(tried << " faults");
}

TEST_CASE("a stream's memory does not grow with its length", "[faults]") {
  Both both({.batch = 2, .headDim = 8, .valueDim = 8, .capacity = 36, .window = 32, .sinkTokens = 4});
  Random random(9);
  Owned<float> rows = normal(random, {2, 1, 30, 8});
  faults.largest = 0;
  const auto feed = [&](KvCache& cache) {
    REQUIRE(cache.append(rows.view(), rows.view(), Layout::kBHSD, 0).ok());
  };
  for (int n = 0; n < 20; ++n) feed(*both.cache);
  const size_t before = faults.largest, held = both.cache->byteLength();
  for (int n = 0; n < 20'000; ++n) feed(*both.cache);
  CHECK(both.cache->length() == 600'600);
  CHECK(faults.largest == before);
  CHECK(both.cache->byteLength() <= held + 8 * 1024);

  // Bytes that say a stream is two thousand million positions long make one that is as small.
  KvCache& cache = *both.cache;
  constexpr uint32_t kLong = 2'000'000'000;
  const std::vector<std::byte> bytes = forged(cache, {{kLengthWord, kLong}, {kHeldFromWord, kLong - 32}});
  faults.largest = 0;
  REQUIRE(cache.load(bytes).ok());
  const std::unique_ptr<KvCache> fork = cache.fork();
  REQUIRE(fork != nullptr);
  feed(*fork);
  CHECK(fork->length() == kLong + 30);
  CHECK(faults.largest <= before);
}

TEST_CASE("a cache that there is no memory for is none", "[faults]") {
  const KvCacheConfig config{.headDim = 8, .valueDim = 8, .capacity = 60};
  faults.allocations = 0;
  faults.failing = 1;
  CHECK(KvCache::create(config) == nullptr);
  faults.failing = SIZE_MAX;
  CHECK(KvCache::create(config) != nullptr);
}

}  // namespace attention::test
