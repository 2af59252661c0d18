// Block maps: words as they come, which may contradict each other but never lead out of them, and words made
// of dense masks, which must say what the masks say.
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "attention/attention.hpp"
#include "block_words.hpp"

namespace attention::test {
namespace {

constexpr float kMasked = -1.0f;

/// Asks a map for one row of keys, as the kernel does: stretch by stretch.
std::vector<uint8_t> rowOf(const BlockMap& map, size_t batch, size_t head, size_t query, size_t keys) {
  std::vector<uint8_t> attends(keys);
  for (Range left{0, keys}; left.size() != 0;) {
    const Range stretch = map.next(batch, head, query, left);
    REQUIRE(stretch.begin >= left.begin && stretch.end <= left.end && stretch.begin <= stretch.end);
    if (stretch.size() == 0) break;
    std::vector<float> bias(stretch.size());
    map.mask(batch, head, query, stretch, kMasked, bias.data());
    const bool isFull = map.full(batch, head, query, stretch);
    for (size_t j = 0; j < bias.size(); ++j) {
      attends[stretch.begin + j] = bias[j] != kMasked;
      REQUIRE(!isFull || bias[j] != kMasked);
    }
    left.begin = stretch.end;
  }
  return attends;
}

void readAny(std::span<const uint8_t> bytes) {
  std::vector<int32_t> words(bytes.size() / sizeof(int32_t));
  std::memcpy(words.data(), bytes.data(), words.size() * sizeof(int32_t));
  const std::optional<BlockMap> map = BlockMap::read(words);
  if (!map) return;
  for (size_t b = 0; b < std::min<size_t>(map->batches(), 3); ++b) {
    for (size_t h = 0; h < std::min<size_t>(map->heads(), 3); ++h) {
      for (const size_t queries : Lengths{0, 1, 64, 65, 200}) {
        for (const size_t keys : Lengths{0, 1, 64, 200}) {
          if (!map->covers(b, h, queries, keys)) continue;
          for (size_t i = 0; i < queries; i += 13) rowOf(*map, b, h, i, keys);
        }
      }
    }
  }
}

void compareDense(Random& random) {
  const size_t batches = between(random, 1, 2), heads = between(random, 1, 2);
  const size_t queries = between(random, 1, 150), keys = between(random, 1, 200);
  std::vector<DensePlane> planes;
  for (size_t plane = 0; plane < batches * heads; ++plane)
    planes.push_back({randomBlocks(random, queries, keys), queries, keys});
  const std::vector<int32_t> words = blockWords(planes, batches, heads);
  const std::optional<BlockMap> map = BlockMap::read(words);
  REQUIRE(map);
  for (size_t plane = 0; plane < planes.size(); ++plane) {
    const size_t b = plane / heads, h = plane % heads;
    REQUIRE(map->covers(b, h, queries, keys));
    for (size_t i = 0; i < queries; ++i) {
      const std::vector<uint8_t> row = rowOf(*map, b, h, i, keys);
      REQUIRE(std::equal(row.begin(), row.end(),
                         planes[plane].attends.begin() + static_cast<std::ptrdiff_t>(i * keys)));
    }
  }
}

}  // namespace
}  // namespace attention::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace attention::test;
  if (size < 5) return 0;
  const std::span<const uint8_t> bytes(data + 1, size - 1);
  if (data[0] % 4 != 0) {
    readAny(bytes);
  } else {
    Random random(bytes);
    compareDense(random);
  }
  return 0;
}
