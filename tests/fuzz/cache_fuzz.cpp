// Sequences of a cache's operations beside plain lists of all that came.
#include "cache_twin.hpp"
#include "refusal.hpp"

namespace attention::test {
namespace {

/// Bytes that no cache has written leave it as it is.
void loadChanged(Random& random, Both& both) {
  Arena arena;
  Output saved;
  REQUIRE(both.cache->save(saved, arena).ok());
  const auto* start = static_cast<const std::byte*>(saved.view().data);
  std::vector<std::byte> bytes(start, start + saved.view().count() * sizeof(float));
  const size_t at = between(random, 0, bytes.size() - 1);
  bytes[at] ^= static_cast<std::byte>(1 << between(random, 0, 7));
  if (chance(random, 0.3)) bytes.resize(between(random, 0, bytes.size() - 1));
  const Status status = both.cache->load(bytes);
  REQUIRE(!status.ok());
  requireSaysWhy(status);
  REQUIRE(both.cache->length() == both.keys.size());
}

/// Bytes with a right checksum but another header make a cache that works, or none.
void loadForged(Random& random, Both& both) {
  const auto word = [&] {
    const size_t kind = between(random, 0, 3);
    if (kind == 0) return static_cast<uint32_t>(between(random, 0, 100));
    if (kind == 1) return static_cast<uint32_t>(both.keys.size() + between(random, 0, 40) - 20);
    return std::array{0x7fffffffU, 0x80000000U, 0xffffffffU, 0x7fffff00U}[between(random, 0, 3)];
  };
  const size_t first = between(random, 2, kHeldFromWord);
  const std::vector<std::byte> bytes = forged(*both.cache, {{first, word()}, {kHeldFromWord, word()}});
  const std::unique_ptr<KvCache> loaded = KvCache::create(both.config);
  const Status status = loaded->load(bytes);
  if (!status.ok()) return requireSaysWhy(status);
  const KvCacheConfig& config = both.config;
  Owned<float> k = normal(random, {config.batch, config.kvHeads, 3, config.headDim});
  Owned<float> v = normal(random, {config.batch, config.kvHeads, 3, config.valueDim});
  AttentionOptions options;
  options.causal = Causal::kTrue;
  Arena arena;
  AttentionOutputs outputs;
  const std::unique_ptr<KvCache> fork = loaded->fork();
  for (int step = 0; step < 3; ++step) {
    const Status attended = fork->attend(k.view(), k.view(), v.view(), options, outputs, arena);
    if (!attended.ok()) requireSaysWhy(attended);
  }
  const Status truncated = loaded->truncate(between(random, 0, 60));
  if (!truncated.ok()) requireSaysWhy(truncated);
}

/// What is refused changes nothing, which the next comparison would show.
void misuse(Random& random, Both& both) {
  const KvCacheConfig& config = both.config;
  const auto size = [&](size_t right) { return chance(random, 0.7) ? right : between(random, 0, 3); };
  const size_t rows = between(random, 0, 100);
  Owned<float> k =
      normal(random, {size(config.batch), size(config.kvHeads), size(rows), size(config.headDim)});
  Owned<float> v =
      normal(random, {size(config.batch), size(config.kvHeads), size(rows), size(config.valueDim)});
  const size_t given = k.shape[2];
  const bool fits = k.shape == Shape{config.batch, config.kvHeads, given, config.headDim} &&
                    v.shape == Shape{config.batch, config.kvHeads, given, config.valueDim} &&
                    (config.window != 0 || both.keys.size() + given <= config.capacity);
  if (fits) return;
  const Status status = both.cache->append(k.view(), v.view(), Layout::kBHSD, 0);
  REQUIRE(!status.ok());
  requireSaysWhy(status);
  REQUIRE(both.cache->length() == both.keys.size());
  const Status reordered = both.cache->reorder(std::vector<int32_t>(config.batch, -1));
  REQUIRE(!reordered.ok());
  requireSaysWhy(reordered);
  const Status truncated = both.cache->truncate(both.keys.size() + 1);
  REQUIRE(!truncated.ok());
  requireSaysWhy(truncated);
}

void live(Random& random) {
  Both one(randomConfig(random, 80));
  runAtRandom(random, one, 40);
  misuse(random, one);
  loadChanged(random, one);
  loadForged(random, one);
  if (one.config.window != 0 || one.keys.size() < one.config.capacity)
    one.attend(random, one.config.kvHeads, 1);
}

}  // namespace
}  // namespace attention::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  attention::test::Random random(std::span(data, size));
  attention::test::live(random);
  return 0;
}
