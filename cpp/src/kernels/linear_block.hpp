#pragma once

#include "pack.hpp"

namespace attention::kernels {

/// out (rows × outputs) += x·Wᵀ on the register tile, `out` already holding the bias.
///
/// Blocks of 96 rows × 384 inputs are packed once and meet one panel of 8 outputs after the other: the panel
/// (12 KB) stays in the first-level cache, the packed rows (144 KB) in the second.
template <class Arch>
class LinearBlock {
  static constexpr size_t kRows = Tile<Arch>::rows;
  static constexpr size_t kColumns = Tile<Arch>::columns;

 public:
  static constexpr size_t kBlockRows = 96;
  static constexpr size_t kBlockDepth = 384;

  /// Floats of scratch.
  static constexpr size_t kScratch = (kBlockRows + kColumns) * kBlockDepth;

  LinearBlock(const float* weight, size_t inputs, size_t outputs, float* scratch)
      : weight_(weight),
        inputs_(inputs),
        outputs_(outputs),
        rows_(scratch),
        panel_(scratch + kBlockRows * kBlockDepth) {}

  void run(const float* x, size_t rows, float* out) {
    for (size_t row = 0; row < rows; row += kBlockRows) {
      const size_t count = std::min(kBlockRows, rows - row);
      for (size_t depth = 0; depth < inputs_; depth += kBlockDepth) {
        multiply(x + row * inputs_ + depth, count, depth, out + row * outputs_);
      }
    }
  }

 private:
  void multiply(const float* x, size_t count, size_t from, float* out) {
    const size_t depth = std::min(kBlockDepth, inputs_ - from);
    for (size_t r = 0; r < count; ++r) std::copy_n(x + r * inputs_, depth, rows_ + r * kBlockDepth);
    for (size_t column = 0; column < outputs_; column += kColumns) {
      const size_t width = std::min(kColumns, outputs_ - column);
      packGroup<Arch, kColumns>(weight_ + column * inputs_ + from, inputs_, width, depth, 1.0f, panel_);
      for (size_t row = 0; row < count; row += kRows) {
        tile(rows_ + row * kBlockDepth, depth, std::min(kRows, count - row), width,
             out + row * outputs_ + column);
      }
    }
  }

  void tile(const float* a, size_t depth, size_t rows, size_t columns, float* out) {
    if (rows == kRows && columns == kColumns) {
      matmulTile<Arch, Start::kFromC, kBlockDepth>(kRows, depth, a, panel_, kColumns, out, outputs_);
      return;
    }
    float edge[kRows * kColumns];
    matmulTile<Arch, Start::kZero, kBlockDepth>(kRows, depth, a, panel_, kColumns, edge, kColumns);
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < columns; ++c) out[r * outputs_ + c] += edge[r * kColumns + c];
    }
  }

  const float* weight_;
  size_t inputs_, outputs_;
  float *rows_, *panel_;
};

}  // namespace attention::kernels
