#pragma once

#include <algorithm>
#include <cstddef>

#include "matmul_tile.hpp"

namespace attention::kernels {

constexpr size_t roundUp(size_t value, size_t step) { return (value + step - 1) / step * step; }

/// Writes rows·factor side by side: out[d·Width + r] = rows[r·stride + d]·factor, zeros for missing rows.
/// Both operands of matmulTile are read in this shape.
template <class Arch, size_t Width>
inline void packGroup(const float* rows, size_t stride, size_t count, size_t depth, float factor,
                      float* out) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  size_t d = 0;
  if constexpr (Width >= kLanes) {
    if (count == Width) {
      const F scale(factor);
      for (; d + kLanes <= depth; d += kLanes) {
#pragma GCC unroll 4
        for (size_t from = 0; from < Width; from += kLanes) {
          // The last ones are transposed with some that were already: the same values are written again.
          const size_t first = std::min(from, Width - kLanes);
          F block[kLanes];
#pragma GCC unroll 16
          for (size_t r = 0; r < kLanes; ++r)
            block[r] = F::load_unaligned(rows + (first + r) * stride + d) * scale;
          xsimd::transpose(block, block + kLanes);
#pragma GCC unroll 16
          for (size_t r = 0; r < kLanes; ++r) block[r].store_unaligned(out + (d + r) * Width + first);
        }
      }
    }
  }
  for (; d < depth; ++d) {
    for (size_t r = 0; r < Width; ++r) out[d * Width + r] = r < count ? rows[r * stride + d] * factor : 0.0f;
  }
}

/// Panels of `count` rows: [ceil(count/kColumns)][depth][kColumns], the right operand of matmulTile.
template <class Arch>
inline void packPanels(const float* rows, size_t stride, size_t count, size_t depth, float* out) {
  constexpr size_t kColumns = Tile<Arch>::columns;
  for (size_t r = 0; r < count; r += kColumns, out += depth * kColumns) {
    packGroup<Arch, kColumns>(rows + r * stride, stride, std::min(kColumns, count - r), depth, 1.0f, out);
  }
}

/// Tiles of `count` rows·factor, each [depth][rows of the tile]: the left operand of matmulTile. The tile of
/// row r starts at out + r·depth.
template <class Arch>
inline void packTiles(const float* rows, size_t stride, size_t count, size_t depth, float factor,
                      float* out) {
  constexpr size_t kRows = Tile<Arch>::rows, kFew = Tile<Arch>::fewRows;
  for (size_t r = 0; r < count;) {
    const float* from = rows + r * stride;
    float* to = out + r * depth;
    const size_t size = tileRows<Arch>(count - r), filled = std::min(size, count - r);
    if (size == kRows) {
      packGroup<Arch, kRows>(from, stride, filled, depth, factor, to);
    } else {
      packGroup<Arch, kFew>(from, stride, filled, depth, factor, to);
    }
    r += size;
  }
}

/// Packs the columns of `count` rows into groups of `Width`: [ceil(columns/Width)][count][Width], filled up
/// with zeros.
template <size_t Width>
inline void packColumns(const float* rows, size_t stride, size_t count, size_t columns, float* out) {
  for (size_t c = 0; c < columns; c += Width) {
    const size_t width = std::min(Width, columns - c);
    for (size_t r = 0; r < count; ++r, out += Width) {
      if (width == Width) {
        std::copy_n(rows + r * stride + c, Width, out);
      } else {
        std::copy_n(rows + r * stride + c, width, out);
        std::fill(out + width, out + Width, 0.0f);
      }
    }
  }
}

}  // namespace attention::kernels
