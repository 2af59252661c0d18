#pragma once

#include <cmath>
#include <limits>
#include <optional>

#include "../kernels/finite.hpp"
#include "score_tile.hpp"

namespace attention {

/// Attention of one block of query rows of one head over all keys, a block of keys at a time: scores
/// (ScoreTile) → running maximum → e^(s - max) and its sum → output += P·V on the same register tile. All
/// memory is scratch made once per call.
template <class Arch>
class QueryBlock {
  using Scores = ScoreTile<Arch>;
  static constexpr size_t kRows = Scores::kRows;
  static constexpr size_t kColumns = Scores::kColumns;
  static constexpr size_t kKeys = Scores::kKeys;
  /// Blocks that a call falls into where its rows allow it.
  static constexpr uint64_t kShares = 8;

 public:
  explicit QueryBlock(const AttentionPlan& plan)
      : plan_(plan),
        outputStride_(kernels::roundUp(plan.valueDim, kColumns)),
        rowsPerBlock_(chooseRows(plan)),
        scores_(plan) {}

  bool allocate(Arena& arena) {
    const size_t room = kernels::roundUp(rowsPerBlock_, kRows);
    values_ = arena.floats({kKeys, outputStride_});
    output_ = arena.floats({room, outputStride_});
    state_ = arena.floats({3, room});
    return scores_.allocate(room, arena) && values_ && output_ && state_;
  }

  /// The rows from `row` on that are done together.
  Range rowsFrom(size_t row, size_t end) const {
    // With a block map they lie in one row of blocks.
    const size_t next = plan_.mask.blocks ? (row / rowsPerBlock_ + 1) * rowsPerBlock_ : row + rowsPerBlock_;
    return {row, std::min(next, end)};
  }

  void begin(size_t batch, size_t head, Range rows) {
    batch_ = batch;
    head_ = head;
    rows_ = rows;
    scores_.packQuery(batch, head, rows);
  }

  /// Not inlined: two functions run it, and once a block of rows a call costs nothing.
  [[gnu::noinline]] void attend() {
    const float sink = plan_.sinks.empty() ? kernels::kNegativeInfinity : plan_.sinks[head_];
    const bool isSink = sink != kernels::kNegativeInfinity;
    std::fill_n(output_, kernels::roundUp(rows_.size(), kRows) * outputStride_, 0.0f);
    for (size_t row = 0; row < rows_.size(); ++row) state(row) = {sink, isSink ? 1.0f : 0.0f, 0.0f};
    forEachBlock({0, plan_.sequences().keysOf(batch_)}, [this](Range keys) { attendKeys(keys); });
  }

  /// In place of attend(), where an earlier call has left the denominators.
  void takeLogSumExp(const float* logSumExp) {
    for (size_t row = 0; row < rows_.size(); ++row) {
      const float value = logSumExp[plan_.logSumExpIndex(batch_, head_, rows_.begin + row)];
      state(row) = {value, 1.0f, value == kernels::kNegativeInfinity ? 0.0f : 1.0f};
    }
  }

  void store(const AttentionMemory& memory) {
    const TensorView output = plan_.outputHeads(memory.output);
    const size_t first = plan_.sequences().firstQuery(batch_) + rows_.begin;
    for (size_t row = 0; row < rows_.size(); ++row) {
      const State& end = state(row);
      float* to = rowOf(output, batch_, head_, first + row);
      // A row that may attend to nothing gives zeros, which its output is as yet.
      const float factor = end.attends != 0 ? 1.0f / end.sum : 1.0f;
      const float* from = outputRow(row);
      for (size_t d = 0; d < plan_.valueDim; ++d) to[d] = from[d] * factor;
      if (memory.logSumExp == nullptr) continue;
      memory.logSumExp[plan_.logSumExpIndex(batch_, head_, rows_.begin + row)] = logSumExp(end);
    }
  }

  /// Makes the scores of a stage again and shows them, a tile at a time: use(rows, keys, scores), scores
  /// [rows][kKeys]. Pairs it leaves out are masked. A second pass, so that the fused one knows nothing of it:
  /// probabilities are e^(s - max) / sum with the final max and sum.
  template <class Use>
  void show(Stage stage, Range columns, Use use) {
    const bool everyPair = stage == Stage::kScores || stage == Stage::kSoftcapped;
    const auto showKeys = [&](Range keys) {
      scores_.packKeys(keys);
      forEachTile([&](Range tile) {
        if (everyPair) {
          scores_.compute(tile, keys, stage);
          use(tile, keys, scores_.row(0));
          return;
        }
        forEachPart(tile, keys, [&](Range part) {
          const bool full = scores_.compute(tile, part, Stage::kBiased);
          if (stage == Stage::kProbabilities) normalise(tile, part, full);
          use(tile, part, scores_.row(0));
        });
      });
    };
    if (!everyPair) return forEachBlock(columns, showKeys);
    for (size_t begin = columns.begin; begin < columns.end; begin += kKeys) {
      showKeys({begin, std::min(begin + kKeys, columns.end)});
    }
  }

 private:
  /// Of a row: maximum and sum so far, and whether any key was not masked (1) or none (0).
  struct State {
    float max, sum, attends;
  };

  /// Rows in proportion to all there are, so that there are blocks enough to share: 96 repay the packing of a
  /// key block (3 % of its products), and scratch of more than some 512 of head size 64 would leave the
  /// second-level cache. Rows are split evenly, or as a block map's are.
  static size_t chooseRows(const AttentionPlan& plan) {
    const uint64_t width = uint64_t{plan.headDim} + plan.valueDim;
    const auto wide = static_cast<size_t>(std::max<uint64_t>(1, 65536 / width));
    if (plan.mask.blocks) {
      size_t rows = BlockMap::kBlock;
      while (rows > wide && rows > 1) rows /= 2;
      return rows;
    }
    const size_t queries = plan.sequences().queries;
    const uint64_t share = uint64_t{queries} * plan.batch * plan.heads / kShares;
    const size_t most =
        kernels::roundUp(std::min(wide, static_cast<size_t>(std::max<uint64_t>(96, share))), kRows);
    const size_t blocks = std::max<size_t>(1, (queries + most - 1) / most);
    return kernels::roundUp(std::max<size_t>(1, (queries + blocks - 1) / blocks), kRows);
  }

  State& state(size_t row) { return reinterpret_cast<State*>(state_)[row]; }
  float* outputRow(size_t row) { return output_ + row * outputStride_; }
  const float* values(size_t j) const { return plan_.valueRow(batch_, head_, j); }

  /// Blocks of keys of which any row may see something.
  template <class Visit>
  void forEachBlock(Range columns, Visit visit) {
    for (size_t from = columns.begin; from < columns.end;) {
      Range keys = plan_.mask.next(batch_, head_, rows_, {from, columns.end});
      if (keys.size() == 0) return;
      keys.end = std::min(keys.end, keys.begin + kKeys);
      visit(keys);
      from = keys.end;
    }
  }

  template <class Visit>
  void forEachTile(Visit visit) {
    for (Range tile{rows_.begin, rows_.begin}; tile.end < rows_.end;) {
      tile.begin = tile.end;
      tile.end = std::min(rows_.end, tile.begin + kernels::tileRows<Arch>(rows_.end - tile.begin));
      visit(tile);
    }
  }

  /// Stretches of a packed block of keys of which any row of the tile may see something.
  template <class Visit>
  void forEachPart(Range tile, Range keys, Visit visit) {
    for (size_t from = keys.begin; from < keys.end;) {
      const Range part = scores_.seen(tile, from);
      if (part.size() == 0) return;
      visit(part);
      from = part.end;
    }
  }

  void attendKeys(Range keys) {
    scores_.packKeys(keys);
    kernels::packColumns<kColumns>(values(keys.begin), plan_.value.strides[2], keys.size(), plan_.valueDim,
                                   values_);
    block_ = keys;
    valuesAreFinite_.reset();
    forEachTile([&](Range tile) { forEachPart(tile, keys, [&](Range part) { attendTile(tile, part); }); });
  }

  void attendTile(Range tile, Range keys) {
    const bool full = scores_.compute(tile, keys, Stage::kBiased);
    const simd::Exp2<Arch> exp2;
    float highest[kRows];
    kernels::rowMaxima<Arch, kRows, kKeys>(scores_.row(0), Scores::padded(keys), highest);
    for (size_t r = 0; r < tile.size(); ++r) {
      State& row = state(tile.begin + r - rows_.begin);
      if (scores_.attends(r)) row.attends = 1.0f;
      raiseMaximum(row, highest[r], outputRow(tile.begin + r - rows_.begin));
      row.sum += kernels::expRow<Arch>(exp2, scores_.row(r), Scores::padded(keys), shiftOf(row.max));
    }
    // 0 · NaN is NaN: where a masked value may be one, the product must leave masked pairs out one by one.
    if (full || valuesAreFinite()) {
      accumulate(tile, keys);
    } else {
      accumulateAttended(tile, keys);
    }
  }

  /// Online softmax (Milakov & Gimelshein 2018): the row's earlier sum and output shrink when its maximum
  /// grows.
  void raiseMaximum(State& row, float highest, float* output) {
    const float before = row.max;
    if (!(highest > before)) return;
    row.max = highest;
    if (before == kernels::kNegativeInfinity) return;
    const float shrink = std::exp(before - highest);
    row.sum *= shrink;
    kernels::scaleRow<Arch>(output, outputStride_, shrink);
  }

  /// With every score -infinity there is no maximum to subtract: e^(-infinity - 0) = 0.
  static float shiftOf(float highest) { return highest == kernels::kNegativeInfinity ? 0.0f : highest; }

  void accumulate(Range tile, Range keys) {
    const float* values = values_ + (keys.begin - block_.begin) * kColumns;
    float* out = outputRow(tile.begin - rows_.begin);
    for (size_t c = 0; c < outputStride_; c += kColumns) {
      kernels::matmulTile<Arch, kernels::Start::kFromC, kKeys>(tile.size(), keys.size(), scores_.row(0),
                                                               values + c * block_.size(), kColumns, out + c,
                                                               outputStride_);
    }
  }

  void accumulateAttended(Range tile, Range keys) {
    for (size_t r = 0; r < tile.size(); ++r) {
      float* out = outputRow(tile.begin + r - rows_.begin);
      const float* biases = scores_.biases(tile.begin + r, keys);
      for (size_t j = 0; j < keys.size(); ++j) {
        if (biases[j] == kernels::kNegativeInfinity) continue;
        const float* value = values(keys.begin + j);
        for (size_t d = 0; d < plan_.valueDim; ++d) out[d] += scores_.row(r)[j] * value[d];
      }
    }
  }

  bool valuesAreFinite() {
    if (!valuesAreFinite_) {
      valuesAreFinite_ = kernels::allFinite<Arch>(values(block_.begin), plan_.value.strides[2], block_.size(),
                                                  plan_.valueDim);
    }
    return *valuesAreFinite_;
  }

  static float logSumExp(const State& row) {
    if (row.sum != 0.0f) {
      return static_cast<float>(static_cast<double>(row.max) + std::log(static_cast<double>(row.sum)));
    }
    // Scores of -infinity alone have no denominator; -infinity would say that the row saw nothing.
    return row.attends != 0 ? std::numeric_limits<float>::quiet_NaN() : kernels::kNegativeInfinity;
  }

  void normalise(Range tile, Range keys, bool full) {
    const simd::Exp2<Arch> exp2;
    for (size_t r = 0; r < tile.size(); ++r) {
      const State& row = state(tile.begin + r - rows_.begin);
      if (!scores_.attends(r) || row.attends == 0) {
        std::fill_n(scores_.row(r), keys.size(), 0.0f);
        continue;
      }
      kernels::expRow<Arch>(exp2, scores_.row(r), Scores::padded(keys), row.max);
      kernels::scaleRow<Arch>(scores_.row(r), Scores::padded(keys), 1.0f / row.sum);
      // In a row of NaN, or of -infinity alone, e^(-infinity - max) is NaN; but a masked pair has no part in
      // it.
      if (full || (row.sum > 0 && !std::isnan(row.max))) continue;
      const float* biases = scores_.biases(tile.begin + r, keys);
      for (size_t j = 0; j < keys.size(); ++j) {
        if (biases[j] == kernels::kNegativeInfinity) scores_.row(r)[j] = 0.0f;
      }
    }
  }

  const AttentionPlan& plan_;
  const size_t outputStride_;
  const size_t rowsPerBlock_;
  Scores scores_;
  size_t batch_ = 0, head_ = 0;
  Range rows_;
  Range block_;                          // of keys, packed
  std::optional<bool> valuesAreFinite_;  // of that block, once asked

  float* values_ = nullptr;  // [Dv / kColumns][block][kColumns], rounded up with zeros
  float* output_ = nullptr;  // [rows][Dv rounded up], not yet divided by the sums
  float* state_ = nullptr;   // State per row
};

}  // namespace attention
