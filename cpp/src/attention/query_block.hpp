#pragma once

#include <cmath>
#include <limits>
#include <optional>

#include "../kernels/finite.hpp"
#include "score_tile.hpp"

namespace attention {

/// Attention of one block of query rows over all keys, a block of keys at a time: scores
/// (ScoreTile) → running maximum → e^(s - max) and its sum → output += P·V on the same register tile. All
/// memory is scratch made once per call.
template <class Arch>
class QueryBlock {
  using Scores = ScoreTile<Arch>;
  static constexpr size_t kRows = Scores::kRows;
  static constexpr size_t kColumns = Scores::kColumns;
  static constexpr size_t kKeys = Scores::kKeys;

 public:
  static RowBlocks blocksOf(const AttentionPlan& plan) { return {plan, kRows, kColumns}; }

  QueryBlock(const AttentionPlan& plan, const RowBlocks& blocks)
      : plan_(plan),
        outputStride_(kernels::roundUp(plan.valueDim, kColumns)),
        blocks_(blocks),
        scores_(plan, blocks.isDirect()) {}

  bool allocate(Arena& arena) {
    const size_t room = kernels::roundUp(blocks_.mostRows(), kRows);
    values_ = arena.floats({blocks_.isDirect() ? 0 : kKeys, outputStride_});
    output_ = arena.floats({room, outputStride_});
    state_ = arena.floats({3, room});
    return scores_.allocate(room, arena) && values_ && output_ && state_;
  }

  const QueryRows& rows() const { return scores_.rows(); }

  void begin(const QueryRows& rows) { scores_.packQuery(rows); }

  /// Not inlined: two functions run it, and once a block of rows a call costs nothing.
  [[gnu::noinline]] void attend() {
    std::fill_n(output_, kernels::roundUp(rows().size(), kRows) * outputStride_, 0.0f);
    for (size_t row = 0; row < rows().size(); ++row) {
      const float sink = plan_.sinks.empty() ? kernels::kNegativeInfinity : plan_.sinks[rows().headOf(row)];
      state(row) = {sink, sink == kernels::kNegativeInfinity ? 0.0f : 1.0f, 0.0f};
    }
    forEachBlock({0, plan_.sequences().keysOf(rows().batch)}, [this](Range keys) { attendKeys(keys); });
  }

  /// In place of attend(), where an earlier call has left the denominators.
  void takeLogSumExp(const float* logSumExp) {
    for (size_t row = 0; row < rows().size(); ++row) {
      const float value = logSumExp[logSumExpIndex(row)];
      state(row) = {value, 1.0f, value == kernels::kNegativeInfinity ? 0.0f : 1.0f};
    }
  }

  void store(const AttentionMemory& memory) {
    const TensorView output = plan_.outputHeads(memory.output);
    const size_t first = plan_.sequences().firstQuery(rows().batch);
    for (size_t row = 0; row < rows().size(); ++row) {
      const State& end = state(row);
      const float* from = outputRow(row);
      float* to = rowOf(output, rows().batch, rows().headOf(row), first + rows().queryOf(row));
      // A row that may attend to nothing gives zeros, which its output is as yet.
      const float factor = end.attends != 0 ? 1.0f / end.sum : 1.0f;
      for (size_t d = 0; d < plan_.valueDim; ++d) to[d] = from[d] * factor;
      if (memory.logSumExp != nullptr) memory.logSumExp[logSumExpIndex(row)] = logSumExp(end);
    }
  }

  /// Makes the scores of a stage again and shows them, a tile at a time: use(rows, keys, scores), scores
  /// [rows][kKeys]. Pairs it leaves out are masked or no longer held. A second pass, so that the fused one
  /// knows nothing of it: probabilities are e^(s - max) / sum with the final max and sum.
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
    for (const Range held : plan_.mask.stream.held(columns)) {
      for (Range keys{held.begin, held.begin}; keys.end < held.end;) {
        keys = firstBlock({keys.end, held.end});
        showKeys(keys);
      }
    }
  }

 private:
  /// Keys whose values are read in one go, where they are.
  static constexpr size_t kAtOnce = 16;

  /// Of a row: maximum and sum so far, and whether any key was not masked (1) or none (0).
  struct State {
    float max, sum, attends;
  };

  size_t logSumExpIndex(size_t row) const {
    return plan_.logSumExpIndex(rows().batch, rows().headOf(row), rows().queryOf(row));
  }
  State& state(size_t row) { return reinterpret_cast<State*>(state_)[row]; }
  float* outputRow(size_t row) { return output_ + row * outputStride_; }

  /// Blocks of keys of which any row may see something.
  template <class Visit>
  void forEachBlock(Range columns, Visit visit) {
    for (const Range held : plan_.mask.stream.held(columns)) {
      for (size_t from = held.begin; from < held.end;) {
        Range keys = scores_.next({0, rows().size()}, {from, held.end});
        if (keys.size() == 0) break;
        keys = firstBlock(keys);
        visit(keys);
        from = keys.end;
      }
    }
  }

  /// The keys that are read in one go: of one page, where they are kept in pages.
  Range firstBlock(Range keys) const {
    size_t end = std::min(keys.end, keys.begin + kKeys);
    if (plan_.pages.rows != 0) end = std::min(end, plan_.pages.endOfPage(keys.begin));
    return {keys.begin, end};
  }

  template <class Visit>
  void forEachTile(Visit visit) {
    for (Range tile{}; tile.end < rows().size();) {
      tile = scores_.tileFrom(tile.end);
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
    if (!blocks_.isDirect()) {
      const KeyValues::Rows from = scores_.keyValues().values(rows(), keys);
      kernels::packColumns<kColumns>(from.data, from.stride, keys.size(), plan_.valueDim, values_);
    }
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
      State& row = state(tile.begin + r);
      if (scores_.attends(r)) row.attends = 1.0f;
      raiseMaximum(row, highest[r], outputRow(tile.begin + r));
      row.sum += kernels::expRow<Arch>(exp2, scores_.row(r), Scores::padded(keys), shiftOf(row.max));
    }
    if (plan_.valueScales) scores_.scaleColumns(tile, keys, scores_.keyValues().valueScales(rows(), keys));
    // 0 · NaN is NaN: where a masked value may be one, the product must leave masked pairs out one by one.
    if (full || valuesAreFinite()) {
      if (blocks_.isDirect()) {
        accumulateDirect(tile, keys);
      } else {
        accumulate(tile, keys);
      }
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
    float* out = outputRow(tile.begin);
    for (size_t c = 0; c < outputStride_; c += kColumns) {
      kernels::matmulTile<Arch, kernels::Start::kFromC, kKeys>(tile.size(), keys.size(), scores_.row(0),
                                                               values + c * block_.size(), kColumns, out + c,
                                                               outputStride_);
    }
  }

  /// Values where they are, a few keys at a time through all columns: they come from memory, and in order.
  void accumulateDirect(Range tile, Range keys) {
    scores_.keyValues().withValues(rows(), keys, [&](const auto* values, size_t stride) {
      for (size_t j = 0; j < keys.size(); j += kAtOnce, values += kAtOnce * stride) {
        const size_t count = std::min(kAtOnce, keys.size() - j);
        for (size_t c = 0; c < outputStride_; c += kColumns) {
          float* out = outputRow(tile.begin) + c;
          if (tile.size() == 1) {
            kernels::fixedTile<Arch, kernels::Start::kFromC, 1, kKeys>(count, scores_.row(0) + j, values + c,
                                                                       stride, out, outputStride_);
          } else {
            kernels::fixedTile<Arch, kernels::Start::kFromC, kernels::kDotRows, kKeys>(
                count, scores_.row(0) + j, values + c, stride, out, outputStride_);
          }
        }
      }
    });
  }

  void accumulateAttended(Range tile, Range keys) {
    const KeyValues::Rows values = scores_.keyValues().values(rows(), keys);
    for (size_t r = 0; r < tile.size(); ++r) {
      float* out = outputRow(tile.begin + r);
      const float* biases = scores_.biases(tile.begin + r, keys);
      for (size_t j = 0; j < keys.size(); ++j) {
        if (biases[j] == kernels::kNegativeInfinity) continue;
        const float* value = values.data + j * values.stride;
        for (size_t d = 0; d < plan_.valueDim; ++d) out[d] += scores_.row(r)[j] * value[d];
      }
    }
  }

  bool allFinite(KeyValues::Rows values) const {
    return kernels::allFinite<Arch>(values.data, values.stride, block_.size(), plan_.valueDim);
  }

  /// Integers are finite; their factors may not be.
  bool valuesAreFinite() {
    if (!valuesAreFinite_) {
      const float* factors = scores_.keyValues().valueScales(rows(), block_);
      valuesAreFinite_ = factors == nullptr ? allFinite(scores_.keyValues().values(rows(), block_))
                                            : kernels::allFinite<Arch>(factors, 0, 1, block_.size());
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
      const State& row = state(tile.begin + r);
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
  const RowBlocks& blocks_;
  Scores scores_;
  Range block_;                          // of keys, packed
  std::optional<bool> valuesAreFinite_;  // of that block, once asked

  float* values_ = nullptr;  // [Dv / kColumns][block][kColumns], rounded up with zeros
  float* output_ = nullptr;  // [rows][Dv rounded up], not yet divided by the sums
  float* state_ = nullptr;   // State per row
};

}  // namespace attention
