#pragma once

#include <algorithm>

#include "attention/attention.hpp"

namespace attention {

/// Query rows that are done together: of one head, or, where each has few queries, of all heads that share a
/// key head, one head after the other.
struct QueryRows {
  size_t batch = 0, head = 0, heads = 1;
  Range queries;

  size_t size() const { return heads * queries.size(); }
  // Divisions only where heads are grouped: asked for each row of each tile they took 5 % of short calls.
  size_t headOf(size_t row) const { return heads == 1 ? head : head + row / queries.size(); }
  size_t queryOf(size_t row) const { return queries.begin + (heads == 1 ? row : row % queries.size()); }

  /// Of some rows, at least one: the heads, and queries among which those of each head are.
  Range headsOf(Range rows) const { return {headOf(rows.begin), headOf(rows.end - 1) + 1}; }
  Range queriesOf(Range rows) const {
    if (headsOf(rows).size() != 1) return queries;
    return {queryOf(rows.begin), queryOf(rows.end - 1) + 1};
  }
};

/// How a call's queries fall into blocks of rows. The number of threads has no say in it: it would change
/// where sums of keys are cut, and so the result's bits.
class RowBlocks {
 public:
  /// Rows of a block, at most, for which packing keys and values would cost more than it saves.
  static constexpr size_t kFewRows = 8;

  /// `tileRows`: blocks are whole tiles. `columns`: what rows must be whole numbers of to be read in place.
  RowBlocks(const AttentionPlan& plan, size_t tileRows, size_t columns)
      : plan_(plan), rows_(chooseRows(plan, tileRows)) {
    const size_t queries = plan.sequences().queries;
    // Not of a short text that attends to itself: it shall be to the bit what it is in a longer, padded
    // batch.
    isDirect_ = queries <= kFewRows && plan.sequences().keys > queries && plan.headDim % columns == 0 &&
                plan.valueDim % columns == 0;
    if (!isDirect_ || queries == 0 || plan.kvHeads == 0) return;
    const size_t group = plan.heads / plan.kvHeads;
    heads_ = std::min(group, kFewRows / queries);
    while (group % heads_ != 0) --heads_;
  }

  /// True where keys and values are read in place, each once for all rows of a block.
  bool isDirect() const { return isDirect_; }

  /// The most rows of a block.
  size_t mostRows() const { return std::max(rows_, kFewRows); }

  /// Of one batch entry.
  size_t count(size_t batch) const { return plan_.heads / heads_ * blocksOfHead(batch); }

  QueryRows at(size_t batch, size_t block) const {
    const size_t begin = block % blocksOfHead(batch) * rows_;
    const size_t end = std::min(begin + rows_, plan_.sequences().queriesOf(batch));
    return {batch, block / blocksOfHead(batch) * heads_, heads_, {begin, end}};
  }

  /// The queries from `query` on that are done together in one head.
  Range from(size_t query, size_t end) const {
    // With a block map they lie in one row of blocks.
    const size_t next = plan_.mask.blocks ? (query / rows_ + 1) * rows_ : query + rows_;
    return {query, std::min(next, end)};
  }

 private:
  /// Blocks that a call falls into where its rows allow it.
  static constexpr uint64_t kShares = 8;

  size_t blocksOfHead(size_t batch) const { return (plan_.sequences().queriesOf(batch) + rows_ - 1) / rows_; }

  /// Rows in proportion to all there are, so that there are blocks enough to share: 96 repay the packing of a
  /// key block (3 % of its products), and scratch of more than some 512 of head size 64 would leave the
  /// second-level cache. Rows are split evenly, or as a block map's are.
  static size_t chooseRows(const AttentionPlan& plan, size_t tileRows) {
    const uint64_t width = uint64_t{plan.headDim} + plan.valueDim;
    const auto wide = static_cast<size_t>(std::max<uint64_t>(1, 65536 / width));
    if (plan.mask.blocks) {
      size_t rows = BlockMap::kBlock;
      while (rows > wide && rows > 1) rows /= 2;
      return rows;
    }
    const auto roundUp = [tileRows](size_t rows) { return (rows + tileRows - 1) / tileRows * tileRows; };
    const size_t queries = std::max<size_t>(1, plan.sequences().queries);
    const uint64_t share = uint64_t{queries} * plan.batch * plan.heads / kShares;
    const size_t most = roundUp(std::min(wide, static_cast<size_t>(std::max<uint64_t>(96, share))));
    const size_t blocks = (queries + most - 1) / most;
    return roundUp((queries + blocks - 1) / blocks);
  }

  const AttentionPlan& plan_;
  size_t rows_;
  size_t heads_ = 1;
  bool isDirect_ = false;
};

}  // namespace attention
