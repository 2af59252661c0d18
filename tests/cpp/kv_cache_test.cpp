#include <array>
#include <vector>

#include "cache_twin.hpp"

namespace attention::test {

TEST_CASE("caches are what concatenation is", "[cache]") {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    Both one(randomConfig(random));
    runAtRandom(random, one);
  }
}

TEST_CASE("a full cache takes nothing more and stays as it is", "[cache]") {
  Random random(2);
  Both both({.headDim = 8, .valueDim = 8, .capacity = 20});
  both.attend(random, 1, 20);
  const size_t bytes = both.cache->byteLength();
  Owned<float> more = normal(random, {1, 1, 1, 8});
  CHECK(both.cache->append(more.view(), more.view(), Layout::kBHSD, 0).code() ==
        ErrorCode::kCapacityExceeded);
  CHECK(both.cache->length() == 20);
  CHECK(both.cache->byteLength() == bytes);
  both.truncate(19);
  both.attend(random, 1, 1);
}

TEST_CASE("a window bounds a cache's memory", "[cache]") {
  Random random(3);
  Both both({.headDim = 8, .valueDim = 8, .capacity = 36, .window = 32, .sinkTokens = 4});
  for (int n = 0; n < 40; ++n) both.attend(random, 2, 7);
  // The sinks' page, and 36 positions in pages of 16 wherever they begin.
  CHECK(both.cache->byteLength() <= 4 * 16 * 2 * 8 * sizeof(float));
  CHECK(both.cache->truncate(200).code() == ErrorCode::kInvalidArgument);
  CHECK(both.cache->truncate(281).code() == ErrorCode::kInvalidArgument);
  // 32 positions beside the sinks are held, of 280: the query at 279 sees the first of them, that at 278 one
  // more.
  CHECK(both.cache->truncate(278).code() == ErrorCode::kInvalidArgument);
  both.truncate(279);
  both.attend(random, 2, 1);
  both.truncate(4);
  both.attend(random, 2, 3);
}

TEST_CASE("a larger capacity takes a window back, whole", "[cache]") {
  for (const size_t sinks : {0u, 3u}) {
    for (const size_t more : {0u, 1u, 4u, 19u}) {
      Random random(5);
      Both both(
          {.headDim = 8, .valueDim = 8, .capacity = sinks + 10 + more, .window = 10, .sinkTokens = sinks});
      both.attend(random, 1, 50);
      const size_t least = 50 - more - 1;
      CHECK(both.cache->truncate(least - 1).code() == ErrorCode::kInvalidArgument);
      both.truncate(least);
      both.heldFrom = 0;  // as if nothing had gone: every window is whole
      both.attend(random, 1, 1);
      CHECK(both.cache->truncate(sinks + 1).code() == ErrorCode::kInvalidArgument);
    }
  }
}

TEST_CASE("any changed byte of a saved cache is noticed", "[cache]") {
  Random random(4);
  Both both({.kvHeads = 2, .headDim = 8, .valueDim = 5, .capacity = 40, .dtype = DType::kInt8});
  both.attend(random, 2, 17);
  Arena arena;
  Output saved;
  REQUIRE(both.cache->save(saved, arena).ok());
  const auto* start = static_cast<const std::byte*>(saved.view().data);
  std::vector<std::byte> bytes(start, start + saved.view().count() * sizeof(float));
  for (size_t at = 0; at < bytes.size(); ++at) {
    const std::byte before = bytes[at];
    bytes[at] ^= std::byte{1};
    CHECK(both.cache->load(bytes).code() == ErrorCode::kCorruptFile);
    bytes[at] = before;
  }
  CHECK(both.cache->load({bytes.data(), bytes.size() - 4}).code() == ErrorCode::kCorruptFile);
  CHECK(both.cache->load({}).code() == ErrorCode::kCorruptFile);
  const auto larger =
      KvCache::create({.kvHeads = 2, .headDim = 8, .valueDim = 5, .capacity = 41, .dtype = DType::kInt8});
  CHECK(larger->load(bytes).code() == ErrorCode::kInvalidArgument);
  REQUIRE(both.cache->load(bytes).ok());
  both.attend(random, 2, 2);
}

TEST_CASE("a header that no cache has is refused, though its checksum is right", "[cache]") {
  Random random(5);
  Both plain({.kvHeads = 2, .headDim = 8, .valueDim = 5, .capacity = 40});
  Both stream({.headDim = 8, .valueDim = 8, .capacity = 36, .window = 32, .sinkTokens = 4});
  for (Both* both : {&plain, &stream}) {
    both->attend(random, 2, 30);
    KvCache& cache = *both->cache;
    for (size_t word = 0; word < kLengthWord; ++word)
      CHECK_FALSE(cache.load(forged(cache, {{word, 77}})).ok());
    for (const uint32_t length : {29U, 31U, 41U, 0x7fffffffU, 0x80000000U, 0xffffffffU})
      CHECK(cache.load(forged(cache, {{kLengthWord, length}})).code() == ErrorCode::kCorruptFile);
    for (const uint32_t from : {31U, 0xffffffffU})
      CHECK(cache.load(forged(cache, {{kHeldFromWord, from}})).code() == ErrorCode::kCorruptFile);
    REQUIRE(cache.load(forged(cache, {{kLengthWord, 30}})).ok());
    both->attend(random, 2, 3);
  }
}

TEST_CASE("every half comes back from its float", "[cache]") {
  for (uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = halfToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      CHECK(std::isnan(halfToFloat(floatToHalf(value))));
    } else {
      CHECK(floatToHalf(value) == bits);
    }
  }
  // Ties go to the even neighbour, and the first value beyond the largest half's half step is infinite.
  CHECK(floatToHalf(1.0f + 0x1p-11f) == 0x3c00);
  CHECK(floatToHalf(1.0f + 3 * 0x1p-11f) == 0x3c02);
  CHECK(floatToHalf(0x1p-25f) == 0);
  CHECK(floatToHalf(3 * 0x1p-25f) == 2);
  CHECK(floatToHalf(65519.0f) == 0x7bff);
  CHECK(floatToHalf(65520.0f) == 0x7c00);
}

}  // namespace attention::test
