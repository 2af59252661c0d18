#pragma once

#include <algorithm>
#include <array>

#include "../kernels/dot_rows.hpp"
#include "../kernels/matmul_tile.hpp"
#include "../kernels/pack.hpp"
#include "../kernels/score_rows.hpp"
#include "../kernels/softmax_rows.hpp"
#include "key_values.hpp"
#include "query_rows.hpp"

namespace attention {

/// Scores of one block of query rows: a register tile of rows at a time against keys packed into panels, or
/// few rows against keys where they are; and whatever the options make of a score before the softmax. A tile
/// is a range of the block's rows.
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

  static_assert(kRows >= kernels::kDotRows);

  /// Products per partial sum of a score.
  static constexpr size_t kDepth = 16;

  ScoreTile(const AttentionPlan& plan, bool isDirect) : plan_(plan), isDirect_(isDirect), keyValues_(plan) {}

  bool allocate(size_t blockRows, Arena& arena) {
    query_ = arena.floats({blockRows, plan_.headDim});
    keys_ = arena.floats({isDirect_ ? 0 : kKeys, plan_.headDim});
    scores_ = arena.floats({kRows, kKeys});
    bias_ = arena.floats({kKeys});
    if (!keyValues_.allocate(kKeys, arena) || !query_ || !keys_ || !scores_ || !bias_) return false;
    // Whole tiles are looked at, also where a tile has fewer rows.
    std::fill_n(scores_, kRows * kKeys, 0.0f);
    return true;
  }

  void packQuery(const QueryRows& rows) {
    rows_ = rows;
    if (isDirect_) return copyQueries();
    kernels::packTiles<Arch>(plan_.queryRow(rows.batch, rows.head, rows.queries.begin),
                             plan_.query.strides[2], rows.size(), plan_.headDim, plan_.scale, query_);
  }

  const QueryRows& rows() const { return rows_; }
  const KeyValues& keyValues() const { return keyValues_; }

  /// At most kKeys of them.
  void packKeys(Range keys) {
    block_ = keys;
    if (isDirect_) return;
    const KeyValues::Rows from = keyValues_.keys(rows_, keys);
    kernels::packPanels<Arch>(from.data, from.stride, keys.size(), plan_.headDim, keys_);
  }

  /// The next stretch of keys of which any of these rows may see something.
  Range next(Range tile, Range keys) const {
    const Range heads = rows_.headsOf(tile), queries = rows_.queriesOf(tile);
    Range seen{keys.end, keys.end};
    for (size_t head = heads.begin; head < heads.end; ++head) {
      const Range part = plan_.mask.next(rows_.batch, head, queries, keys);
      if (part.size() == 0) continue;
      seen = {std::min(seen.begin, part.begin), seen.size() == 0 ? part.end : std::max(seen.end, part.end)};
    }
    return seen;
  }

  /// Of the packed keys, from `from` on. It starts where a panel does: keys that no row sees cost nothing.
  /// Where keys are read in place it starts where it is: heads that see different keys may leave no gap
  /// between two stretches, and a key before `from` would count twice.
  Range seen(Range tile, size_t from) const {
    Range part = next(tile, {from, block_.end});
    if (!isDirect_ && part.size() != 0) part.begin -= (part.begin - block_.begin) % kColumns;
    return part;
  }

  /// Rows of the tile × keys up to a step, kBiased at most, and beyond the last key -infinity. True where
  /// every pair attends and nothing masked can be met.
  bool compute(Range tile, Range keys, Stage upTo) {
    if (isDirect_) {
      multiplyDirect(tile, keys);
    } else {
      multiply(tile, keys);
    }
    if (plan_.keyScales) scaleColumns(tile, keys, keyValues_.keyScales(rows_, keys));
    if (upTo != Stage::kScores && plan_.softcap != 0) {
      for (size_t r = 0; r < tile.size(); ++r) {
        kernels::softcapRow<Arch>(row(r), padded(keys), plan_.softcap);
      }
    }
    if (upTo == Stage::kBiased && plan_.alibi) addDistances(tile, keys);
    endRows(tile, keys);
    return upTo != Stage::kBiased || mask(tile, keys);
  }

  /// Columns of the latest rows, each times its factor.
  void scaleColumns(Range tile, Range keys, const float* factors) {
    for (size_t r = 0; r < tile.size(); ++r) {
      for (size_t j = 0; j < keys.size(); ++j) row(r)[j] *= factors[j];
    }
  }

  /// The tile's rows, at most.
  Range tileFrom(size_t row) const {
    const size_t left = rows_.size() - row;
    return {row, row + std::min(left, isDirect_ ? kernels::kDotRows : kernels::tileRows<Arch>(left))};
  }

  float* row(size_t r) { return scores_ + r * kKeys; }
  /// Of the latest compute(): whether any key attends.
  bool attends(size_t r) const { return attends_[r]; }

  /// What a row's masks add, once more: a masked pair is one with -infinity here, whatever its score.
  const float* biases(size_t row, Range keys) {
    plan_.mask.fillBias(rows_.batch, rows_.headOf(row), rows_.queryOf(row), keys, bias_);
    return bias_;
  }

  static size_t padded(Range keys) { return kernels::roundUp(keys.size(), kColumns); }

 private:
  void copyQueries() {
    float* to = query_;
    for (size_t row = 0; row < rows_.size(); ++row, to += plan_.headDim) {
      const float* from = plan_.queryRow(rows_.batch, rows_.headOf(row), rows_.queryOf(row));
      for (size_t d = 0; d < plan_.headDim; ++d) to[d] = from[d] * plan_.scale;
    }
  }

  void multiply(Range tile, Range keys) {
    const size_t depth = plan_.headDim, first = std::min(depth, kDepth);
    const size_t rows = kernels::tileRows<Arch>(tile.size());
    const float* q = query_ + tile.begin * depth;
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

  void multiplyDirect(Range tile, Range keys) {
    const float* q = query_ + tile.begin * plan_.headDim;
    keyValues_.withKeys(rows_, keys, [&](const auto* k, size_t stride) {
      if (tile.size() == 1) {
        kernels::dotRows<Arch, 1>(q, plan_.headDim, k, stride, keys.size(), scores_, kKeys);
      } else {
        kernels::dotRows<Arch, kernels::kDotRows>(q, plan_.headDim, k, stride, keys.size(), scores_, kKeys);
      }
    });
  }

  void endRows(Range tile, Range keys) {
    if (padded(keys) == keys.size()) return;
    for (size_t r = 0; r < tile.size(); ++r) {
      std::fill(row(r) + keys.size(), row(r) + padded(keys), kernels::kNegativeInfinity);
    }
  }

  void addDistances(Range tile, Range keys) {
    for (size_t r = 0; r < tile.size(); ++r) {
      const size_t at = tile.begin + r;
      const int64_t position = static_cast<int64_t>(rows_.queryOf(at)) + plan_.mask.offset(rows_.batch);
      kernels::addDistances<Arch>(row(r), padded(keys),
                                  static_cast<float>(position - static_cast<int64_t>(keys.begin)),
                                  plan_.slopeOf(rows_.headOf(at)));
    }
  }

  bool mask(Range tile, Range keys) {
    attends_.fill(true);
    if (isFull(tile, keys)) return true;
    for (size_t r = 0; r < tile.size(); ++r) {
      const size_t at = tile.begin + r;
      attends_[r] =
          plan_.mask.isPositional() ? keepVisible(r, rows_.queryOf(at), keys) : addBiases(r, at, keys);
    }
    return false;
  }

  bool isFull(Range tile, Range keys) const {
    const Range heads = rows_.headsOf(tile), queries = rows_.queriesOf(tile);
    bool full = true;
    for (size_t head = heads.begin; head < heads.end; ++head) {
      full = full && plan_.mask.full(rows_.batch, head, queries, keys);
    }
    return full;
  }

  bool keepVisible(size_t r, size_t query, Range keys) {
    const Range seen = plan_.mask.visible(rows_.batch, query, keys);
    std::fill(row(r), row(r) + (seen.begin - keys.begin), kernels::kNegativeInfinity);
    std::fill(row(r) + (seen.end - keys.begin), row(r) + keys.size(), kernels::kNegativeInfinity);
    return seen.size() != 0;
  }

  bool addBiases(size_t r, size_t at, Range keys) {
    const bool attends = plan_.mask.fillBias(rows_.batch, rows_.headOf(at), rows_.queryOf(at), keys, bias_);
    std::fill(bias_ + keys.size(), bias_ + padded(keys), 0.0f);
    kernels::addBias<Arch>(row(r), bias_, padded(keys));
    return attends;
  }

  const AttentionPlan& plan_;
  const bool isDirect_;
  KeyValues keyValues_;
  QueryRows rows_;
  Range block_;  // of keys, packed
  std::array<bool, kRows> attends_{};

  float* query_ = nullptr;   // tiles of [D][rows], or [rows][D], scaled
  float* keys_ = nullptr;    // [kKeys / kColumns][D][kColumns]
  float* scores_ = nullptr;  // [kRows][kKeys]
  float* bias_ = nullptr;    // [kKeys], of one row
};

}  // namespace attention
