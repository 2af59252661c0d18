#include "attention/mask.hpp"

#include <catch2/catch_test_macros.hpp>

#include "block_words.hpp"

namespace attention::test {
namespace {

/// Which pairs of a rectangle attend, one by one.
size_t attended(const MaskPlan& mask, Range rows, Range columns) {
  size_t count = 0;
  std::vector<float> bias(columns.size());
  for (size_t i = rows.begin; i < rows.end; ++i) {
    const bool any = mask.fillBias(0, 0, i, columns, bias.data());
    const auto here =
        static_cast<size_t>(std::ranges::count_if(bias, [](float b) { return b != -kInfinity; }));
    CHECK(any == (here != 0));
    count += here;
  }
  return count;
}

/// next() and full() of a rectangle against its pairs.
void checkRectangle(const MaskPlan& mask, Range rows, Range columns) {
  INFO("rows " << rows.begin << ".." << rows.end << ", columns " << columns.begin << ".." << columns.end);
  const size_t count = attended(mask, rows, columns);
  const bool full = mask.full(0, 0, rows, columns);
  if (full) CHECK(count == rows.size() * columns.size());
  size_t found = 0, from = columns.begin;
  while (from < columns.end) {
    const Range part = mask.next(0, 0, rows, {from, columns.end});
    if (part.size() == 0) break;
    CHECK(part.begin >= from);
    CHECK(part.end <= columns.end);
    found += attended(mask, rows, part);
    from = part.end;
  }
  CHECK(found == count);
}

}  // namespace

TEST_CASE("stretches of causal masks and windows hold what their pairs say", "[mask]") {
  const int32_t length = 17;
  size_t skipped = 0;
  for (int64_t offset : {-5, 0, 3, 40}) {
    for (Window window : {Window{-1, -1}, Window{3, -1}, Window{-1, 2}, Window{0, 0}, Window{5, 1}}) {
      for (bool causal : {false, true}) {
        for (bool cut : {false, true}) {
          MaskPlan mask{
              .sequences = {20, 24, {}, {}}, .causal = causal, .window = window, .sharedOffset = offset};
          if (cut) mask.kvLengths = {&length, 1};
          for (size_t row = 0; row < 20; row += 3) {
            for (size_t column = 0; column < 24; column += 4) {
              const Range rows{row, std::min<size_t>(row + 3, 20)}, columns{column, column + 4};
              checkRectangle(mask, rows, columns);
              if (attended(mask, rows, columns) != 0) continue;
              ++skipped;
              CHECK(mask.next(0, 0, rows, columns).size() == 0);
            }
          }
        }
      }
    }
  }
  CHECK(skipped > 500);
}

TEST_CASE("full rectangles of a window are found", "[mask]") {
  const MaskPlan mask{.sequences = {64, 64, {}, {}}, .window = {16, 16}};
  CHECK(mask.full(0, 0, {20, 24}, {7, 37}));
  CHECK_FALSE(mask.full(0, 0, {20, 24}, {6, 37}));
  CHECK_FALSE(mask.full(0, 0, {20, 24}, {7, 38}));
}

TEST_CASE("infinity in a float mask does not undo another rule", "[mask]") {
  Owned<float> dense{{1, 1, 1, 3}, {kInfinity, kNaN, kInfinity}};
  Owned<uint8_t> keys{{1, 3}, {1, 0, 1}};
  MaskPlan mask{.sequences = {1, 3, {}, {}},
                .causal = true,
                .sharedOffset = 1,
                .keyMask = keys.view(),
                .dense = dense.view(),
                .denseKeys = 3};
  float bias[3];
  CHECK(mask.fillBias(0, 0, 0, {0, 3}, bias));
  CHECK(bias[0] == kInfinity);
  CHECK(bias[1] == -kInfinity);
  CHECK(bias[2] == -kInfinity);
}

TEST_CASE("a block map holds what its pairs say", "[mask]") {
  Random random(61);
  for (int at = 0; at < 60; ++at) {
    const size_t queries = between(random, 1, 200), keys = between(random, 1, 330);
    const std::vector<uint8_t> dense = randomBlocks(random, queries, keys);
    const std::vector<int32_t> words = blockWords({{dense, queries, keys}}, 1, 1);
    const std::optional<BlockMap> map = BlockMap::read(words);
    REQUIRE(map);
    REQUIRE(map->covers(0, 0, queries, keys));
    MaskPlan mask{.sequences = {queries, keys, {}, {}}, .causal = at % 2 == 0};
    if (at % 3 == 0) mask.window = {70, -1};
    mask.blocks = map;
    MaskPlan positions = mask;
    positions.blocks.reset();
    std::vector<float> bias(keys), withoutMap(keys);
    for (size_t i = 0; i < queries; ++i) {
      mask.fillBias(0, 0, i, {0, keys}, bias.data());
      positions.fillBias(0, 0, i, {0, keys}, withoutMap.data());
      for (size_t j = 0; j < keys; ++j) {
        CHECK((bias[j] == 0) == (dense[i * keys + j] != 0 && withoutMap[j] == 0));
      }
    }
    for (int rectangle = 0; rectangle < 20; ++rectangle) {
      const size_t row = between(random, 0, queries - 1), column = between(random, 0, keys - 1);
      const size_t end = std::min(queries, row / BlockMap::kBlock * BlockMap::kBlock + BlockMap::kBlock);
      checkRectangle(mask, {row, std::min(row + 6, end)}, {column, std::min(keys, column + 128)});
    }
  }
}

TEST_CASE("whatever the words, what is read stays within them", "[mask]") {  // the sanitizers watch
  Random random(62);
  const std::vector<uint8_t> dense = randomBlocks(random, 150, 150);
  const std::vector<int32_t> words = blockWords({{dense, 150, 150}}, 1, 1);
  for (int at = 0; at < 3000; ++at) {
    std::vector<int32_t> wrong = words;
    wrong[between(random, 0, 20)] = static_cast<int32_t>(between(random, 0, 10)) - 2;
    const std::optional<BlockMap> map = BlockMap::read(wrong);
    if (!map || map->batches() != 1 || map->heads() != 1 || !map->covers(0, 0, 150, 150)) continue;
    std::vector<float> bias(150);
    for (size_t i = 0; i < 150; i += 7) {
      map->mask(0, 0, i, {0, 150}, -1, bias.data());
      CHECK(map->next(0, 0, i, {3, 150}).end <= 150);
      map->full(0, 0, i, {5, 100});
    }
  }
}

namespace {

/// Of 128×192 pairs: block 0 full and block 2 in part in the first row of blocks, block 1 in part in the
/// second.
std::vector<int32_t> goodWords() {
  DensePlane plane{std::vector<uint8_t>(size_t{128} * 192), 128, 192};
  for (size_t i = 0; i < 64; ++i)
    std::fill_n(plane.attends.begin() + static_cast<std::ptrdiff_t>(i * 192), 64, 1);
  plane.attends[130] = plane.attends[size_t{64} * 192 + 70] = 1;
  return blockWords({plane}, 1, 1);
}
// Where they are: a plane, three starts of rows, three runs of (begin, end, pattern), patterns.
constexpr size_t kPlane = 5, kStarts = 6, kRuns = 9;

}  // namespace

TEST_CASE("words that contradict each other are no block map", "[mask]") {
  const std::vector<int32_t> good = goodWords();
  REQUIRE(BlockMap::read(good));
  REQUIRE(good.size() == kRuns + 3 * 3 + 2 * 128);
  const auto isReadWith = [&](size_t at, int32_t word) {
    std::vector<int32_t> words = good;
    words[at] = word;
    return BlockMap::read(words).has_value();
  };
  for (size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(BlockMap::read(std::span(good).first(size)).has_value());
  std::vector<int32_t> longer = good;
  longer.push_back(0);
  CHECK_FALSE(BlockMap::read(longer).has_value());
  for (size_t at = 0; at < kPlane; ++at) {
    for (const int32_t word : {-1, good[at] + 1, INT32_MAX, INT32_MIN}) CHECK_FALSE(isReadWith(at, word));
  }
  // A plane that begins behind the last row; starts that fall, or lie behind the last run.
  CHECK_FALSE(isReadWith(kPlane, 3));
  CHECK_FALSE(isReadWith(kStarts, 3));
  CHECK_FALSE(isReadWith(kStarts + 1, 4));
  CHECK_FALSE(isReadWith(kStarts + 2, 1));
  // Runs that end where they begin, meet the one before, have an unknown pattern, or one pattern for two
  // blocks.
  CHECK_FALSE(isReadWith(kRuns + 1, 0));
  CHECK_FALSE(isReadWith(kRuns + 1, 3));
  CHECK_FALSE(isReadWith(kRuns, -1));
  CHECK_FALSE(isReadWith(kRuns + 2, 2));
  CHECK_FALSE(isReadWith(kRuns + 2, -2));
  CHECK_FALSE(isReadWith(kRuns + 4, 4));
  CHECK(isReadWith(kRuns + 1, 2));
}

TEST_CASE("a block map says how much it covers", "[mask]") {
  const std::vector<int32_t> words = goodWords();
  const BlockMap map = *BlockMap::read(words);
  CHECK(map.covers(0, 0, 128, 192));
  CHECK(map.covers(0, 0, 128, 129));
  CHECK(map.covers(0, 0, 65, 1000));
  CHECK_FALSE(map.covers(0, 0, 129, 192));
  CHECK_FALSE(map.covers(0, 0, 128, 128));
}

}  // namespace attention::test
