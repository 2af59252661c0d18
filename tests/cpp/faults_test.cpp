// Memory that runs out: each allocation of each operation fails once. The call says OUT_OF_MEMORY, nothing
// leaks (AddressSanitizer looks), what lives on is as it was, and the same call then gives what it would have
// given.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <string>

#include "cache_twin.hpp"
#include "runtime/parts.hpp"

namespace {
/// Allocations since the count began, the largest of them, and which one fails.
size_t allocations = 0, largest = 0, failing = SIZE_MAX;
bool fails(size_t bytes) {
  largest = std::max(largest, bytes);
  return ++allocations == failing;
}
}  // namespace

extern "C" {
void* __real_aligned_alloc(size_t alignment, size_t bytes);   // NOLINT(bugprone-reserved-identifier)
void* __real_realloc(void* memory, size_t bytes);             // NOLINT(bugprone-reserved-identifier)
void* __wrap_aligned_alloc(size_t alignment, size_t bytes) {  // NOLINT(bugprone-reserved-identifier)
  return fails(bytes) ? nullptr : __real_aligned_alloc(alignment, bytes);
}
void* __wrap_realloc(void* memory, size_t bytes) {  // NOLINT(bugprone-reserved-identifier)
  return fails(bytes) ? nullptr : __real_realloc(memory, bytes);
}
}

/// A cache's own.
void* operator new(size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return fails(bytes) ? nullptr : std::malloc(bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*bytes*/) noexcept { std::free(memory); }
void* operator new(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

namespace attention::test {
namespace {

/// What a call gave, number by number.
using Numbers = std::vector<float>;

struct Results {
  Arena& arena;
  Numbers numbers;

  Status take(const Status& status, std::initializer_list<const Output*> outputs) {
    if (!status.ok()) return status;
    for (const Output* output : outputs) {
      if (output->view().data == nullptr) continue;
      numbers.insert(numbers.end(), output->floats(), output->floats() + output->view().count());
    }
    return status;
  }
  Status one(const std::function<Status(Output&)>& call) {
    Output out;
    return take(call(out), {&out});
  }
  Status attend(const std::function<Status(AttentionOutputs&)>& call) {
    AttentionOutputs outputs;
    return take(call(outputs), {&outputs.output, &outputs.weights, &outputs.logSumExp});
  }
};

using Operation = std::function<Status(Results&)>;

/// Inputs of every operation, and the operations.
struct World {
  Random random{7};
  Owned<float> q = normal(random, {2, 4, 70, 8}), k = normal(random, {2, 2, 150, 8}),
               v = normal(random, {2, 2, 150, 5});
  Owned<float> packedQ = normal(random, {9, 4, 8}), packedK = normal(random, {7, 2, 8});
  Owned<float> x = normal(random, {5, 16}), weight = normal(random, {16, 16}), bias = normal(random, {16});
  Owned<float> heads = normal(random, {2, 5, 5});
  Owned<uint16_t> halves{{4, 4}, std::vector<uint16_t>(16, 0x3c00)};
  Owned<int32_t> ids{{3}, {0, 4, 2}};
  std::vector<int32_t> queryStarts{0, 4, 9}, keyStarts{0, 7, 7};

  static AttentionOptions options(Causal causal = Causal::kNone) {
    AttentionOptions options;
    options.causal = causal;
    options.weights = Stage::kProbabilities;
    options.logSumExp = true;
    return options;
  }

  std::map<std::string, Operation> operations() {
    return {
        {"attention",
         [this](Results& r) {
           return r.attend([&](AttentionOutputs& out) {
             return scaledDotProductAttention(q.view(), k.view(), v.view(), options(), out, r.arena);
           });
         }},
        {"one query",
         [this](Results& r) {
           TensorView first = q.view();
           first.shape[2] = 1;
           return r.attend([&](AttentionOutputs& out) {
             return scaledDotProductAttention(TensorView::contiguous(first.data, first.dtype, first.shape),
                                              k.view(), v.view(), options(Causal::kLowerRight), out, r.arena);
           });
         }},
        {"packed sequences",
         [this](Results& r) {
           AttentionOptions packed = options(Causal::kTrue);
           packed.weights = Stage::kNone;
           return r.attend([&](AttentionOutputs& out) {
             return variableLengthAttention(packedQ.view(), packedK.view(), packedK.view(), queryStarts,
                                            keyStarts, packed, out, r.arena);
           });
         }},
        {"map",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return attentionMap(q.view(), k.view(), {}, {.mapRows = 9, .mapColumns = 7}, out, r.arena);
           });
         }},
        {"linear attention",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return linearAttention(q.view(), k.view(), v.view(), {}, FeatureMap::kRelu, out, r.arena);
           });
         }},
        {"projections",
         [this](Results& r) {
           const ProjectionWeights weights{weight.view(), weight.view(), weight.view(), weight.view()};
           return r.attend([&](AttentionOutputs& out) {
             return projectedAttention({x.view()}, weights, options(), out, r.arena);
           });
         }},
        {"softmax",
         [this](Results& r) {
           return r.one([&](Output& out) { return softmax(x.view(), 0, out, r.arena); });
         }},
        {"layerNorm",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return layerNorm(x.view(), bias.view(), bias.view(), -1, 1e-5f, out, r.arena);
           });
         }},
        {"rmsNorm",
         [this](Results& r) {
           return r.one([&](Output& out) { return rmsNorm(x.view(), bias.view(), -1, 1e-5f, out, r.arena); });
         }},
        {"activation",
         [this](Results& r) {
           return r.one([&](Output& out) { return activation(Activation::kGelu, x.view(), out, r.arena); });
         }},
        {"add",
         [this](Results& r) {
           return r.one([&](Output& out) { return add(x.view(), bias.view(), out, r.arena); });
         }},
        {"linear",
         [this](Results& r) {
           return r.one(
               [&](Output& out) { return linear(x.view(), weight.view(), bias.view(), out, r.arena); });
         }},
        {"panels",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return packPanels(weight.view(), {16, 16, DType::kPanels8}, 0, out, r.arena);
           });
         }},
        {"feedForward",
         [this](Results& r) {
           const FeedForwardWeights weights{weight.view(), weight.view(), weight.view()};
           return r.one(
               [&](Output& out) { return feedForward(x.view(), weights, Activation::kSilu, out, r.arena); });
         }},
        {"embedding",
         [this](Results& r) {
           return r.one([&](Output& out) { return embedding(ids.view(), weight.view(), out, r.arena); });
         }},
        {"sinusoidalPositions",
         [](Results& r) {
           return r.one([&](Output& out) { return sinusoidalPositions(5, 8, 0, 10000, out, r.arena); });
         }},
        {"rotaryEmbedding",
         [this](Results& r) {
           return r.one([&](Output& out) { return rotaryEmbedding(q.view(), {}, out, r.arena); });
         }},
        {"rolloutStep",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return rolloutStep(heads.view(), std::nullopt, HeadFusion::kMean, true, out, r.arena);
           });
         }},
        {"toFloat32",
         [this](Results& r) {
           return r.one([&](Output& out) { return toFloat32(halves.view(), out, r.arena); });
         }},
    };
  }
};

/// One run with the `n`th allocation failing; SIZE_MAX: none.
Status attempt(const Operation& operation, size_t n, Numbers* numbers) {
  Arena arena;
  Results results{arena, {}};
  allocations = 0;
  failing = n;
  const Status status = operation(results);
  failing = SIZE_MAX;
  *numbers = results.numbers;
  return status;
}

bool same(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// A cache in the middle of its life; made anew it is the same.
struct LivingCache {
  Random random{3};
  std::unique_ptr<KvCache> cache;
  Owned<float> q, k, v;

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
           return l.cache->attend(l.q.view(), l.k.view(), l.v.view(), World::options(Causal::kTrue), out,
                                  r.arena);
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

TEST_CASE("each allocation of each operation fails once", "[faults]") {
  World world;
  size_t faults = 0;
  for (const auto& [name, operation] : world.operations()) {
    INFO(name);
    Numbers wanted, got;
    REQUIRE(attempt(operation, SIZE_MAX, &wanted).ok());
    const size_t all = allocations;
    REQUIRE(all > 0);
    REQUIRE(!wanted.empty());
    for (size_t n = 1; n <= all; ++n, ++faults) {
      INFO("allocation " << n << " of " << all);
      const Status status = attempt(operation, n, &got);
      REQUIRE(status.code() == ErrorCode::kOutOfMemory);
      REQUIRE(Message::latest()[0] != '\0');
      REQUIRE(attempt(operation, SIZE_MAX, &got).ok());
      REQUIRE(same(got, wanted));
    }
  }
  CHECK(faults >= 90);  // docs/reliability.md
  WARN(faults << " faults in " << world.operations().size() << " operations");
}

TEST_CASE("a cache whose allocations fail is as it was", "[faults]") {
  size_t faults = 0;
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
        const size_t all = allocations;
        REQUIRE(all > 0);
        for (size_t n = 1; n <= all; ++n, ++faults) {
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
  WARN(faults << " faults");
}

TEST_CASE("a stream's memory does not grow with its length", "[faults]") {
  Both both({.batch = 2, .headDim = 8, .valueDim = 8, .capacity = 36, .window = 32, .sinkTokens = 4});
  Random random(9);
  Owned<float> rows = normal(random, {2, 1, 30, 8});
  largest = 0;
  const auto feed = [&](KvCache& cache) {
    REQUIRE(cache.append(rows.view(), rows.view(), Layout::kBHSD, 0).ok());
  };
  for (int n = 0; n < 20; ++n) feed(*both.cache);
  const size_t before = largest, held = both.cache->byteLength();
  for (int n = 0; n < 20'000; ++n) feed(*both.cache);
  CHECK(both.cache->length() == 600'600);
  CHECK(largest == before);
  CHECK(both.cache->byteLength() <= held + 8 * 1024);

  // Bytes that say a stream is two thousand million positions long make one that is as small.
  KvCache& cache = *both.cache;
  constexpr uint32_t kLong = 2'000'000'000;
  const std::vector<std::byte> bytes = forged(cache, {{kLengthWord, kLong}, {kHeldFromWord, kLong - 32}});
  largest = 0;
  REQUIRE(cache.load(bytes).ok());
  const std::unique_ptr<KvCache> fork = cache.fork();
  REQUIRE(fork != nullptr);
  feed(*fork);
  CHECK(fork->length() == kLong + 30);
  CHECK(largest <= before);
}

TEST_CASE("a cache that there is no memory for is none", "[faults]") {
  const KvCacheConfig config{.headDim = 8, .valueDim = 8, .capacity = 60};
  allocations = 0;
  failing = 1;
  CHECK(KvCache::create(config) == nullptr);
  failing = SIZE_MAX;
  CHECK(KvCache::create(config) != nullptr);
}

}  // namespace attention::test
