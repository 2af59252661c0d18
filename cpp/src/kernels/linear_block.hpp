#pragma once

#include "attention/tensor.hpp"
#include "pack.hpp"

namespace attention::kernels {

/// The weights [outputs,inputs] of a linear layer: rows as they come, or panels (packPanels) made once, of
/// int8 with a factor for each output.
struct LinearWeights {
  const void* data;
  size_t inputs, outputs;
  DType dtype;
};

/// A panel of int8 as floats, each column times its factor.
template <class Arch>
inline void widenPanel(const int8_t* panel, const float* factors, size_t depth, float* out) {
  using F = simd::Floats<Arch>;
  constexpr size_t kColumns = Tile<Arch>::columns;
  const simd::LoadPair<Arch, int8_t> load;
  const F low = F::load_unaligned(factors), high = F::load_unaligned(factors + kColumns / 2);
  for (size_t d = 0; d < depth; ++d, panel += kColumns, out += kColumns) {
    const simd::Pair<Arch> row = load(panel);
    (row.low * low).store_unaligned(out);
    (row.high * high).store_unaligned(out + kColumns / 2);
  }
}

/// out = x·Wᵀ + bias on the register tile, for a part of the rows and of the outputs.
///
/// Blocks of at most 96 rows × 384 inputs are packed once and meet one panel of 8 outputs after the other:
/// the panel (12 KB) stays in the first-level cache, the packed rows (144 KB) in the second. Depth is cut
/// first, so that the order of additions depends on the number of inputs alone.
template <class Arch>
class LinearBlock {
  static constexpr size_t kRows = Tile<Arch>::rows;
  static constexpr size_t kColumns = Tile<Arch>::columns;

 public:
  static constexpr size_t kBlockRows = 96;
  static constexpr size_t kBlockDepth = 384;

  /// Floats of scratch.
  static constexpr size_t kScratch = (kBlockRows + kColumns) * kBlockDepth;

  LinearBlock(const LinearWeights& weights, const float* bias, float* scratch)
      : weights_(weights), bias_(bias), rows_(scratch), panel_(scratch + kBlockRows * kBlockDepth) {}

  /// At most kBlockRows rows of x and `out`; columns [begin, end) of `out`, begin a whole number of panels.
  /// `finish` is called with each strip of at most kColumns columns of `out` when its sums are complete.
  template <class Finish>
  void run(const float* x, size_t rows, size_t begin, size_t end, float* out, Finish finish) {
    for (size_t from = 0; from == 0 || from < weights_.inputs; from += kBlockDepth) {
      const size_t depth = std::min(kBlockDepth, weights_.inputs - from);
      if (rows != 1) packTiles<Arch>(x + from, weights_.inputs, rows, depth, 1.0f, rows_);
      for (size_t column = begin; column < end; column += kColumns) {
        const size_t width = std::min(kColumns, end - column);
        if (from == 0) start(rows, column, width, out + column);
        if (rows == 1) {
          multiplyOne(column, width, from, depth, x + from, out + column);
        } else {
          multiply(rows, width, depth, panel(column, width, from, depth), out + column);
        }
        if (from + depth == weights_.inputs) finish(out + column, width);
      }
    }
  }

 private:
  void start(size_t rows, size_t column, size_t width, float* out) {
    for (size_t r = 0; r < rows; ++r, out += weights_.outputs) {
      for (size_t c = 0; c < width; ++c) out[c] = bias_ == nullptr ? 0.0f : bias_[column + c];
    }
  }

  const float* panel(size_t column, size_t width, size_t from, size_t depth) {
    const size_t first = column * weights_.inputs;
    if (weights_.dtype == DType::kPanels) {
      return static_cast<const float*>(weights_.data) + first + from * kColumns;
    }
    if (weights_.dtype == DType::kPanels8) {
      widenPanel<Arch>(panel8(column, from), factors() + column, depth, panel_);
    } else {
      packGroup<Arch, kColumns>(static_cast<const float*>(weights_.data) + first + from, weights_.inputs,
                                width, depth, 1.0f, panel_);
    }
    return panel_;
  }

  const int8_t* panel8(size_t column, size_t from) const {
    return static_cast<const int8_t*>(weights_.data) + column * weights_.inputs + from * kColumns;
  }
  const float* factors() const {
    const size_t count = roundUp(weights_.outputs, kColumns) * weights_.inputs;
    return reinterpret_cast<const float*>(static_cast<const int8_t*>(weights_.data) + count);
  }

  void multiply(size_t rows, size_t width, size_t depth, const float* panel, float* out) {
    for (size_t row = 0; row < rows;) {
      const size_t tile = tileRows<Arch>(rows - row);
      const float* a = rows_ + row * depth;
      float* c = out + row * weights_.outputs;
      if (row + tile <= rows && width == kColumns) {
        matmulTile<Arch, Start::kFromC, kPacked>(tile, depth, a, panel, kColumns, c, weights_.outputs);
      } else {
        multiplyEdge(tile, std::min(tile, rows - row), width, depth, a, panel, c);
      }
      row += tile;
    }
  }

  /// One row, as a decoder has them, where it is: a tile of more would multiply zeros, and int8 would be
  /// widened for one use.
  void multiplyOne(size_t column, size_t width, size_t from, size_t depth, const float* x, float* out) {
    float sums[kColumns];
    if (weights_.dtype == DType::kPanels8) {
      fixedTile<Arch, Start::kZero, 1, 1>(depth, x, panel8(column, from), kColumns, sums, kColumns);
      for (size_t c = 0; c < width; ++c) out[c] += sums[c] * factors()[column + c];
    } else {
      fixedTile<Arch, Start::kZero, 1, 1>(depth, x, panel(column, width, from, depth), kColumns, sums,
                                          kColumns);
      for (size_t c = 0; c < width; ++c) out[c] += sums[c];
    }
  }

  /// A tile of which `out` has a part only.
  void multiplyEdge(size_t tile, size_t rows, size_t width, size_t depth, const float* a, const float* panel,
                    float* out) {
    float edge[kRows * kColumns] = {};
    for (size_t r = 0; r < rows; ++r) std::copy_n(out + r * weights_.outputs, width, edge + r * kColumns);
    matmulTile<Arch, Start::kFromC, kPacked>(tile, depth, a, panel, kColumns, edge, kColumns);
    for (size_t r = 0; r < rows; ++r) std::copy_n(edge + r * kColumns, width, out + r * weights_.outputs);
  }

  LinearWeights weights_;
  const float* bias_;
  float *rows_, *panel_;
};

}  // namespace attention::kernels
