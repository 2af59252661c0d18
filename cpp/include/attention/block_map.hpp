#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace attention {

/// Half-open.
struct Range {
  size_t begin = 0, end = 0;
  size_t size() const { return end - begin; }
};

/// A compiled mask rule: for every row of 64×64 blocks of (query, key) pairs the runs of key blocks that are
/// not empty. Full blocks are never tested pair by pair, and equal patterns are stored once, so that a window
/// or a causal mask takes a few words a row, whatever the number of keys. web/src/masks writes it, in 32-bit
/// words:
///
///   batches (1 or B) · heads (1 or H) · rows of blocks of all planes · runs · patterns
///   [batches·heads]  the first row of blocks of plane (b,h)
///   [rows + 1]       the first run of each row
///   [runs][3]        first key block, end key block, pattern: kFull, or an index, and then it is one block
///   [patterns][128]  64 rows of 64 bits: the pair attends
class BlockMap {
 public:
  static constexpr size_t kBlock = 64;  ///< queries and keys a block
  static constexpr int32_t kFull = -1;

  struct Run {
    int32_t begin, end, pattern;
  };

  /// Nothing where the words contradict each other; the map then would read beyond them.
  static std::optional<BlockMap> read(std::span<const int32_t> words);

  size_t batches() const { return batches_; }
  size_t heads() const { return heads_; }

  /// True where the plane of (batch, head) covers `queries`×`keys` pairs.
  bool covers(size_t batch, size_t head, size_t queries, size_t keys) const;

  /// The first stretch of `keys` in which this query's row of blocks has any; empty at the end of `keys`.
  Range next(size_t batch, size_t head, size_t query, Range keys) const;

  /// True where every pair of this query's row of blocks with these keys attends.
  bool full(size_t batch, size_t head, size_t query, Range keys) const;

  /// bias[j] = `masked` for every key of the range that this query may not see.
  void mask(size_t batch, size_t head, size_t query, Range keys, float masked, float* bias) const;

 private:
  std::span<const Run> row(size_t batch, size_t head, size_t query) const;

  size_t batches_ = 0, heads_ = 0;
  std::span<const int32_t> planes_, rowStart_;
  std::span<const Run> runs_;
  std::span<const int32_t> patterns_;
};

}  // namespace attention
