#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "attention/block_map.hpp"
#include "attention/tensor.hpp"

namespace attention {

/// How many queries and keys each batch entry has, and where its rows begin: all alike, or sequences of
/// various lengths packed end to end, of which `queries` and `keys` are the longest.
struct Sequences {
  size_t queries = 0, keys = 0;
  std::span<const int32_t> queryStarts, keyStarts;  // prefix sums [B+1]; empty: all alike

  size_t queriesOf(size_t batch) const { return lengthOf(queryStarts, batch, queries); }
  size_t keysOf(size_t batch) const { return lengthOf(keyStarts, batch, keys); }
  size_t firstQuery(size_t batch) const { return startOf(queryStarts, batch); }
  size_t firstKey(size_t batch) const { return startOf(keyStarts, batch); }

 private:
  static size_t startOf(std::span<const int32_t> starts, size_t batch) {
    return starts.empty() ? 0 : static_cast<size_t>(starts[batch]);
  }
  static size_t lengthOf(std::span<const int32_t> starts, size_t batch, size_t all) {
    return starts.empty() ? all : static_cast<size_t>(starts[batch + 1] - starts[batch]);
  }
};

/// Keys p - left <= j <= p + right; -1 is no limit.
struct Window {
  int32_t left = -1, right = -1;
};

/// What a cache with a window leaves of the keys (Xiao et al. 2023, StreamingLLM): the first `sinks`, and of
/// the others those from `heldFrom` on, of which the query at p sees p - window < j <= p.
struct Stream {
  size_t sinks = 0, heldFrom = 0;
  size_t window = 0;  // 0: none

  /// The columns that are held, in two stretches: positions are read within one of them.
  std::array<Range, 2> held(Range columns) const {
    const size_t middle = std::clamp(sinks, columns.begin, columns.end);
    return {Range{columns.begin, middle},
            {std::clamp(std::max(heldFrom, sinks), middle, columns.end), columns.end}};
  }
};

/// Which keys a query may see: all rules of a call at once. Query i stands at position p = i + offset(b) for
/// causality and windows; lengths and dense masks count plain indices.
struct MaskPlan {
  Sequences sequences;
  bool causal = false;
  bool lowerRight = false;  // the last query stands at the last valid key
  Window window;
  int64_t sharedOffset = 0;
  std::span<const int32_t> offsets;    // [B], in place of sharedOffset
  std::span<const int32_t> kvLengths;  // [B] or empty
  std::optional<TensorView> keyMask;   // [B,Skv], non-zero attends
  std::optional<TensorView> dense;     // [B,H,Sq,Skv], broadcast axes with stride 0, bool or float32
  size_t denseKeys = 0;                // dense knows only these; later keys are masked
  std::optional<BlockMap> blocks;
  Stream stream;

  int64_t offset(size_t batch) const;

  /// The first stretch of `columns` of which any of these rows may see something; empty at the end of
  /// `columns` where there is none. Here and below `columns` lie within one stretch that the stream holds.
  /// With a block map all rows lie in one row of blocks.
  Range next(size_t batch, size_t head, Range rows, Range columns) const;

  /// True where each row sees each column and nothing is added to any score.
  bool full(size_t batch, size_t head, Range rows, Range columns) const;

  /// True where nothing but visible() masks a pair.
  bool isPositional() const { return !dense && !keyMask && !blocks; }

  /// The keys of the columns that position and length leave to a query. Neither end ever falls from one query
  /// to the next.
  Range visible(size_t batch, size_t query, Range columns) const;

  /// Writes what is added to one query's scores: -infinity where masked, else the float mask. True where any
  /// key of the range attends.
  bool fillBias(size_t batch, size_t head, size_t query, Range columns, float* bias) const;

 private:
  size_t validKeys(size_t batch) const;
};

}  // namespace attention
