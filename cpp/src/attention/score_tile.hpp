#pragma once

#include <algorithm>
#include <array>

#include "../kernels/matmul_tile.hpp"
#include "../kernels/pack.hpp"
#include "../kernels/score_rows.hpp"
#include "../kernels/softmax_rows.hpp"
#include "attention/attention.hpp"

namespace attention {

/// Scores of one block of query rows of one head: a register tile of rows at a time against packed keys, and
/// whatever the options make of a score before the softmax.
///
/// log₂e is not folded into the queries' scale, although that would save one multiplication a score: scores
/// and masks near the largest float would overflow.
template <class Arch>
class ScoreTile {
 public:
  static constexpr size_t kRows = kernels::Tile<Arch>::rows;
  static constexpr size_t kColumns = kernels::Tile<Arch>::columns;

  /// Keys per block. 128 were 3 % faster than 64 and 6 % than 32: fewer rows to finish, fewer visits of the
  /// output.
  static constexpr size_t kKeys = 128;

  /// Products per partial sum of a score.
  static constexpr size_t kDepth = 16;

  explicit ScoreTile(const AttentionPlan& plan) : plan_(plan) {}

  bool allocate(size_t blockRows, Arena& arena) {
    query_ = arena.floats({blockRows, plan_.headDim});
    keys_ = arena.floats({kKeys, plan_.headDim});
    scores_ = arena.floats({kRows, kKeys});
    bias_ = arena.floats({kKeys});
    return query_ && keys_ && scores_ && bias_;
  }

  void packQuery(size_t batch, size_t head, Range rows) {
    batch_ = batch;
    head_ = head;
    rows_ = rows;
    slope_ = plan_.slopeOf(head);
    kernels::packTiles<Arch>(plan_.queryRow(batch, head, rows.begin), plan_.query.strides[2], rows.size(),
                             plan_.headDim, plan_.scale, query_);
  }

  /// At most kKeys of them.
  void packKeys(Range keys) {
    block_ = keys;
    kernels::packPanels<Arch>(plan_.keyRow(batch_, head_, keys.begin), plan_.key.strides[2], keys.size(),
                              plan_.headDim, keys_);
  }

  /// The next stretch of packed keys of which any row of the tile may see something, from `from` on: keys
  /// that no row sees cost nothing. It starts where a group of packed keys does.
  Range seen(Range tile, size_t from) const {
    Range part = plan_.mask.next(batch_, head_, tile, {from, block_.end});
    if (part.size() != 0) part.begin -= (part.begin - block_.begin) % kColumns;
    return part;
  }

  /// Rows of the tile × keys up to a step, kBiased at most, and beyond the last key -infinity. True where
  /// every pair attends and nothing masked can be met.
  bool compute(Range tile, Range keys, Stage upTo) {
    multiply(tile, keys);
    if (upTo != Stage::kScores && plan_.softcap != 0) {
      for (size_t r = 0; r < tile.size(); ++r) {
        kernels::softcapRow<Arch>(row(r), padded(keys), plan_.softcap);
      }
    }
    if (upTo == Stage::kBiased && slope_ != 0) addDistances(tile, keys);
    endRows(keys);
    return upTo != Stage::kBiased || mask(tile, keys);
  }

  float* row(size_t r) { return scores_ + r * kKeys; }
  /// Of the latest compute(): whether any key attends.
  bool attends(size_t r) const { return attends_[r]; }

  /// What a query's masks add, once more: a masked pair is one with -infinity here, whatever its score.
  const float* biases(size_t query, Range keys) {
    plan_.mask.fillBias(batch_, head_, query, keys, bias_);
    return bias_;
  }

  static size_t padded(Range keys) { return kernels::roundUp(keys.size(), kColumns); }

 private:
  void multiply(Range tile, Range keys) {
    const size_t depth = plan_.headDim, first = std::min(depth, kDepth);
    const size_t rows = kernels::tileRows<Arch>(tile.size());
    const float* q = query_ + (tile.begin - rows_.begin) * depth;
    const float* k = keys_ + (keys.begin - block_.begin) * depth;
    for (size_t j = 0; j < keys.size(); j += kColumns) {
      kernels::matmulTile<Arch, kernels::Start::kZero, kernels::kPacked>(rows, first, q, k + j * depth,
                                                                         kColumns, scores_ + j, kKeys);
      for (size_t d = kDepth; d < depth; d += kDepth) {
        kernels::matmulTile<Arch, kernels::Start::kAddedLast, kernels::kPacked>(
            rows, std::min(kDepth, depth - d), q + d * rows, k + j * depth + d * kColumns, kColumns,
            scores_ + j, kKeys);
      }
    }
  }

  void endRows(Range keys) {
    if (padded(keys) == keys.size()) return;
    for (size_t r = 0; r < kRows; ++r) {
      std::fill(row(r) + keys.size(), row(r) + padded(keys), kernels::kNegativeInfinity);
    }
  }

  void addDistances(Range tile, Range keys) {
    for (size_t r = 0; r < tile.size(); ++r) {
      const int64_t position = static_cast<int64_t>(tile.begin + r) + plan_.mask.offset(batch_);
      kernels::addDistances<Arch>(row(r), padded(keys),
                                  static_cast<float>(position - static_cast<int64_t>(keys.begin)), slope_);
    }
  }

  bool mask(Range tile, Range keys) {
    attends_.fill(true);
    if (plan_.mask.full(batch_, head_, tile, keys)) return true;
    for (size_t r = 0; r < tile.size(); ++r) {
      const size_t query = tile.begin + r;
      attends_[r] = plan_.mask.isPositional() ? keepVisible(r, query, keys) : addBiases(r, query, keys);
    }
    return false;
  }

  bool keepVisible(size_t r, size_t query, Range keys) {
    const Range seen = plan_.mask.visible(batch_, query, keys);
    std::fill(row(r), row(r) + (seen.begin - keys.begin), kernels::kNegativeInfinity);
    std::fill(row(r) + (seen.end - keys.begin), row(r) + keys.size(), kernels::kNegativeInfinity);
    return seen.size() != 0;
  }

  bool addBiases(size_t r, size_t query, Range keys) {
    const bool attends = plan_.mask.fillBias(batch_, head_, query, keys, bias_);
    std::fill(bias_ + keys.size(), bias_ + padded(keys), 0.0f);
    kernels::addBias<Arch>(row(r), bias_, padded(keys));
    return attends;
  }

  const AttentionPlan& plan_;
  size_t batch_ = 0, head_ = 0;
  Range rows_, block_;  // of queries and of keys, packed
  float slope_ = 0;
  std::array<bool, kRows> attends_{};

  float* query_ = nullptr;   // tiles of [D][rows], scaled
  float* keys_ = nullptr;    // [kKeys / kColumns][D][kColumns]
  float* scores_ = nullptr;  // [kRows][kKeys]
  float* bias_ = nullptr;    // [kKeys], of one row
};

}  // namespace attention
