#pragma once

#include <algorithm>
#include <cmath>

#include "../kernels/finite.hpp"
#include "../kernels/matmul_tile.hpp"
#include "../kernels/pack.hpp"
#include "../kernels/softmax_rows.hpp"
#include "attention/attention.hpp"

namespace attention {

/// Attention of one block of query rows of one head over all keys, a block of keys at a time: scores
/// (register tile) → masks → running maximum → e^(s - max) and its sum → output += P·V (the same register
/// tile).
///
/// log₂e is not folded into the queries' scale, although that would save one multiplication a score: scores
/// and masks near the largest float would overflow. All memory is scratch made once per call.
template <class Arch>
class QueryBlock {
  static constexpr size_t kRows = kernels::Tile<Arch>::rows;
  static constexpr size_t kColumns = kernels::Tile<Arch>::columns;

 public:
  /// Keys per block. 128 were 3 % faster than 64 and 6 % than 32: fewer rows to finish, fewer visits of the
  /// output.
  static constexpr size_t kKeys = 128;

  explicit QueryBlock(const AttentionPlan& plan)
      : plan_(plan), outputStride_(kernels::roundUp(plan.valueDim, kColumns)), blockRows_(chooseRows(plan)) {}

  bool allocate(Arena& arena) {
    query_ = arena.floats({blockRows_, plan_.headDim});
    keys_ = arena.floats({kKeys, plan_.headDim});
    valueTail_ = arena.floats({kKeys, kColumns});
    output_ = arena.floats({blockRows_, outputStride_});
    scores_ = arena.floats({2, kRows, kKeys});
    state_ = arena.floats({3, blockRows_});
    return query_ && keys_ && valueTail_ && output_ && scores_ && state_;
  }

  size_t rows() const { return blockRows_; }

  void run(size_t batch, size_t head, Range rows, const AttentionMemory& memory) {
    batch_ = batch;
    head_ = head;
    rows_ = rows;
    attend();
    store(plan_.outputHeads(memory.output), memory.logSumExp);
    if (plan_.stage != Stage::kNone) tap(memory.weights);
  }

 private:
  /// 96 rows repay the packing of a key block (3 % of its products); very wide heads take fewer, so that
  /// scratch stays near the second-level cache. Rows are split evenly.
  static size_t chooseRows(const AttentionPlan& plan) {
    const size_t wide = std::max<size_t>(1, 65536 / (plan.headDim + plan.valueDim));
    const size_t most = std::min<size_t>(96, kernels::roundUp(wide, kRows));
    const size_t blocks = std::max<size_t>(1, (plan.queries + most - 1) / most);
    return kernels::roundUp(std::max<size_t>(1, (plan.queries + blocks - 1) / blocks), kRows);
  }

  float* rowMax() { return state_; }
  float* rowSum() { return state_ + blockRows_; }
  float* rowAttends() { return state_ + 2 * blockRows_; }  // 1 where any key so far was not masked
  float* scoreRow(size_t r) { return scores_ + r * kKeys; }
  float* biasRow(size_t r) { return scores_ + (kRows + r) * kKeys; }
  float* outputRow(size_t row) { return output_ + row * outputStride_; }

  void packQuery() {
    kernels::packRows<Arch, kRows>(rowOf(plan_.query, batch_, head_, rows_.begin), plan_.query.strides[2],
                                   rows_.size(), plan_.headDim, plan_.scale, query_);
  }

  void packKeys(Range keys) {
    kernels::packRows<Arch, kColumns>(rowOf(plan_.key, batch_, plan_.kvHeadOf(head_), keys.begin),
                                      plan_.key.strides[2], keys.size(), plan_.headDim, 1.0f, keys_);
  }

  const float* valueRows(Range keys) const {
    return rowOf(plan_.value, batch_, plan_.kvHeadOf(head_), keys.begin);
  }

  void attend() {
    packQuery();
    std::fill_n(output_, blockRows_ * outputStride_, 0.0f);
    std::fill_n(rowMax(), blockRows_, kernels::kNegativeInfinity);
    std::fill_n(rowSum(), 2 * blockRows_, 0.0f);
    const size_t end = plan_.mask.keyEnd(batch_, rows_.end - 1);
    for (size_t begin = 0; begin < end; begin += kKeys)
      attendKeys({begin, std::min(begin + kKeys, plan_.keys)});
  }

  void attendKeys(Range keys) {
    if (plan_.mask.coverage(batch_, rows_, keys) == Coverage::kEmpty) return;
    packKeys(keys);
    const size_t tail = plan_.valueDim % kColumns;
    if (tail != 0) {
      kernels::packTailColumns(valueRows(keys) + plan_.valueDim - tail, plan_.value.strides[2], keys.size(),
                               tail, kColumns, valueTail_);
    }
    block_ = keys;
    valuesAreFinite_.reset();
    for (size_t row = rows_.begin; row < rows_.end; row += kRows) {
      const Range tile{row, std::min(row + kRows, rows_.end)};
      // Keys that no row of the tile sees cost nothing: a causal mask halves the work of a single block, too.
      const size_t end = std::min(keys.end, plan_.mask.keyEnd(batch_, tile.end - 1));
      if (end > keys.begin) attendTile(tile, {keys.begin, end});
    }
  }

  void attendTile(Range tile, Range keys) {
    const Coverage coverage = plan_.mask.coverage(batch_, tile, keys);
    computeScores(tile, keys);
    for (size_t r = 0; r < tile.size(); ++r) {
      bool attends = true;
      if (coverage == Coverage::kPartial) attends = maskRow(r, tile.begin + r, keys);
      if (attends) rowAttends()[tile.begin + r - rows_.begin] = 1.0f;
      softmaxRow(r, tile.begin + r - rows_.begin, keys.size());
    }
    // 0 · NaN is NaN: where a masked value may be one, the product must leave masked pairs out one by one.
    if (coverage == Coverage::kPartial && !valuesAreFinite()) {
      accumulateAttended(tile, keys);
    } else {
      accumulate(tile, keys);
    }
  }

  /// scores (kRows × keys) = Q·Kᵀ, -infinity in the lanes beyond the last key.
  void computeScores(Range tile, Range keys) {
    const float* q = query_ + (tile.begin - rows_.begin) * plan_.headDim;
    for (size_t j = 0; j < keys.size(); j += kColumns) {
      kernels::matmulTile<Arch, kernels::Start::kZero, 1, kRows>(plan_.headDim, q, keys_ + j * plan_.headDim,
                                                                 kColumns, scores_ + j, kKeys);
    }
    const size_t padded = kernels::roundUp(keys.size(), kColumns);
    if (padded == keys.size()) return;
    for (size_t r = 0; r < kRows; ++r) {
      std::fill(scoreRow(r) + keys.size(), scoreRow(r) + padded, kernels::kNegativeInfinity);
    }
  }

  /// Adds the masks to a row of scores; true where any key attends.
  bool maskRow(size_t r, size_t query, Range keys) {
    const size_t padded = kernels::roundUp(keys.size(), kColumns);
    const bool attends = plan_.mask.fillBias(batch_, head_, query, keys, biasRow(r));
    std::fill(biasRow(r) + keys.size(), biasRow(r) + padded, 0.0f);
    kernels::addBias<Arch>(scoreRow(r), biasRow(r), padded);
    return attends;
  }

  /// Online softmax: the row's earlier sum and output shrink when its maximum grows.
  void softmaxRow(size_t r, size_t row, size_t n) {
    const size_t padded = kernels::roundUp(n, kColumns);
    const float before = rowMax()[row];
    const float highest = kernels::rowMaximum<Arch>(scoreRow(r), padded, before);
    if (highest > before) {
      if (before != kernels::kNegativeInfinity) {
        const float shrink = std::exp(before - highest);
        rowSum()[row] *= shrink;
        kernels::scaleRow<Arch>(outputRow(row), outputStride_, shrink);
      }
      rowMax()[row] = highest;
    }
    // With every score -infinity so far there is no maximum to subtract: e^(-infinity - 0) = 0.
    const float shift = highest == kernels::kNegativeInfinity ? 0.0f : highest;
    rowSum()[row] += kernels::expRow<Arch>(scoreRow(r), padded, shift);
  }

  void accumulate(Range tile, Range keys) {
    const size_t inPlace = plan_.valueDim / kColumns * kColumns;
    float* out = outputRow(tile.begin - rows_.begin);
    for (size_t c = 0; c < inPlace; c += kColumns) {
      kernels::matmulTile<Arch, kernels::Start::kFromC, kKeys, 1>(
          keys.size(), scores_, valueRows(keys) + c, plan_.value.strides[2], out + c, outputStride_);
    }
    if (inPlace == plan_.valueDim) return;
    kernels::matmulTile<Arch, kernels::Start::kFromC, kKeys, 1>(keys.size(), scores_, valueTail_, kColumns,
                                                                out + inPlace, outputStride_);
  }

  void accumulateAttended(Range tile, Range keys) {
    for (size_t r = 0; r < tile.size(); ++r) {
      float* out = outputRow(tile.begin + r - rows_.begin);
      for (size_t j = 0; j < keys.size(); ++j) {
        if (biasRow(r)[j] == kernels::kNegativeInfinity) continue;
        const float* value = valueRows(keys) + j * plan_.value.strides[2];
        for (size_t d = 0; d < plan_.valueDim; ++d) out[d] += scoreRow(r)[j] * value[d];
      }
    }
  }

  bool valuesAreFinite() {
    if (!valuesAreFinite_) {
      valuesAreFinite_ =
          kernels::allFinite<Arch>(valueRows(block_), plan_.value.strides[2], block_.size(), plan_.valueDim);
    }
    return *valuesAreFinite_;
  }

  void store(const TensorView& output, float* logSumExp) {
    for (size_t row = 0; row < rows_.size(); ++row) {
      const bool attends = rowAttends()[row] != 0.0f;
      float* to = rowOf(output, batch_, head_, rows_.begin + row);
      if (attends) {
        const float inverse = 1.0f / rowSum()[row];
        const float* from = outputRow(row);
        for (size_t d = 0; d < plan_.valueDim; ++d) to[d] = from[d] * inverse;
      } else {
        std::fill_n(to, plan_.valueDim, 0.0f);
      }
      if (logSumExp == nullptr) continue;
      logSumExp[(batch_ * plan_.heads + head_) * plan_.queries + rows_.begin + row] =
          attends ? rowLogSumExp(row) : kernels::kNegativeInfinity;
    }
  }

  float rowLogSumExp(size_t row) {
    // Scores of -infinity alone have no denominator; -infinity would say that the row saw nothing.
    if (rowSum()[row] == 0.0f) return std::numeric_limits<float>::quiet_NaN();
    return static_cast<float>(static_cast<double>(rowMax()[row]) +
                              std::log(static_cast<double>(rowSum()[row])));
  }

  /// Shows a stage of every pair in a second pass over the keys, so that the fused pass knows nothing of it:
  /// probabilities are e^(s - max) / sum with the final max and sum.
  void tap(float* weights) {
    const bool probabilities = plan_.stage == Stage::kProbabilities;
    for (size_t begin = 0; begin < plan_.keys; begin += kKeys) {
      const Range keys{begin, std::min(begin + kKeys, plan_.keys)};
      packKeys(keys);
      for (size_t row = rows_.begin; row < rows_.end; row += kRows) {
        const Range tile{row, std::min(row + kRows, rows_.end)};
        computeScores(tile, keys);
        for (size_t r = 0; r < tile.size(); ++r) {
          tapRow(r, tile.begin + r, keys, probabilities);
          float* to =
              weights + ((batch_ * plan_.heads + head_) * plan_.queries + tile.begin + r) * plan_.keys;
          std::copy_n(scoreRow(r), keys.size(), to + keys.begin);
        }
      }
    }
  }

  void tapRow(size_t r, size_t query, Range keys, bool probabilities) {
    if (plan_.stage == Stage::kScores || plan_.stage == Stage::kSoftcapped) return;
    const bool attends = maskRow(r, query, keys);
    if (!probabilities) return;
    const size_t row = query - rows_.begin;
    if (!attends) {
      std::fill_n(scoreRow(r), keys.size(), 0.0f);
      return;
    }
    const size_t padded = kernels::roundUp(keys.size(), kColumns);
    kernels::expRow<Arch>(scoreRow(r), padded, rowMax()[row]);
    kernels::scaleRow<Arch>(scoreRow(r), padded, 1.0f / rowSum()[row]);
  }

  const AttentionPlan& plan_;
  const size_t outputStride_;
  const size_t blockRows_;
  size_t batch_ = 0, head_ = 0;
  Range rows_{0, 0};
  Range block_{0, 0};                    // of keys, packed
  std::optional<bool> valuesAreFinite_;  // of that block, once asked

  float* query_ = nullptr;      // [rows / kRows][D][kRows], scaled
  float* keys_ = nullptr;       // [kKeys / kColumns][D][kColumns]
  float* valueTail_ = nullptr;  // [kKeys][kColumns], the last Dv mod kColumns columns
  float* output_ = nullptr;     // [rows][Dv rounded up], not yet divided by the sums
  float* scores_ = nullptr;     // [kRows][kKeys], then as much for the biases
  float* state_ = nullptr;      // max, sum and "attends" per row
};

}  // namespace attention
