#pragma once

#include <algorithm>
#include <vector>

#include "attention/block_map.hpp"
#include "case.hpp"

namespace attention::test {

/// A dense mask of queries×keys, row by row.
struct DensePlane {
  std::vector<uint8_t> attends;
  size_t queries, keys;
};

/// Blocks of 64×64 that are empty, full, or random inside.
inline std::vector<uint8_t> randomBlocks(Random& random, size_t queries, size_t keys) {
  const size_t rows = (queries + 63) / 64, columns = (keys + 63) / 64;
  std::vector<size_t> kinds(rows * columns);
  for (size_t& kind : kinds) kind = between(random, 0, 2);
  std::vector<uint8_t> attends(queries * keys);
  for (size_t i = 0; i < queries; ++i) {
    for (size_t j = 0; j < keys; ++j) {
      const size_t kind = kinds[i / 64 * columns + j / 64];
      attends[i * keys + j] = kind == 2 ? chance(random, 0.5) : static_cast<uint8_t>(kind);
    }
  }
  return attends;
}

/// The words of a block map, block by block from dense masks of batches·heads planes.
inline std::vector<int32_t> blockWords(const std::vector<DensePlane>& planes, size_t batches, size_t heads) {
  std::vector<int32_t> first, rowStart{0}, runs, patterns;
  const auto word = [](size_t value) { return static_cast<int32_t>(value); };
  for (const DensePlane& plane : planes) {
    first.push_back(word(rowStart.size() - 1));
    for (size_t row = 0; row < plane.queries; row += 64) {
      for (size_t column = 0; column < plane.keys; column += 64) {
        std::vector<int32_t> bits(128);
        size_t count = 0, pairs = 0;
        for (size_t i = row; i < std::min(row + 64, plane.queries); ++i) {
          for (size_t j = column; j < std::min(column + 64, plane.keys); ++j, ++pairs) {
            if (plane.attends[i * plane.keys + j] == 0) continue;
            ++count;
            int32_t& bit = bits[(i - row) * 2 + (j - column) / 32];
            bit = static_cast<int32_t>(static_cast<uint32_t>(bit) | 1U << (j - column) % 32);
          }
        }
        if (count == 0) continue;
        const bool full = count == pairs;
        runs.insert(runs.end(),
                    {word(column / 64), word(column / 64 + 1), full ? -1 : word(patterns.size() / 128)});
        if (!full) patterns.insert(patterns.end(), bits.begin(), bits.end());
      }
      rowStart.push_back(word(runs.size() / 3));
    }
  }
  std::vector<int32_t> words{word(batches), word(heads), word(rowStart.size() - 1), word(runs.size() / 3),
                             word(patterns.size() / 128)};
  for (const auto& part : {first, rowStart, runs, patterns})
    words.insert(words.end(), part.begin(), part.end());
  return words;
}

}  // namespace attention::test
