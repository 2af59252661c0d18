#pragma once

#include <algorithm>
#include <cstddef>

#include "matmul_tile.hpp"

namespace attention::kernels {

constexpr size_t roundUp(size_t value, size_t step) { return (value + step - 1) / step * step; }

/// Writes `width` rows of a matrix side by side: out[d·Width + r] = rows[r·stride + d]·factor, zeros for
/// missing rows. This is the shape in which matmulTile reads both of its operands.
template <class Arch, size_t Width>
inline void packGroup(const float* rows, size_t stride, size_t count, size_t depth, float factor,
                      float* out) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  size_t d = 0;
  if constexpr (Width % kLanes == 0) {
    if (count == Width) {
      const F scale(factor);
      for (; d + kLanes <= depth; d += kLanes) {
#pragma GCC unroll 4
        for (size_t group = 0; group < Width; group += kLanes) {
          F block[kLanes];
#pragma GCC unroll 16
          for (size_t r = 0; r < kLanes; ++r)
            block[r] = F::load_unaligned(rows + (group + r) * stride + d) * scale;
          xsimd::transpose(block, block + kLanes);
#pragma GCC unroll 16
          for (size_t r = 0; r < kLanes; ++r) block[r].store_unaligned(out + (d + r) * Width + group);
        }
      }
    }
  }
  for (; d < depth; ++d) {
    for (size_t r = 0; r < Width; ++r) out[d * Width + r] = r < count ? rows[r * stride + d] * factor : 0.0f;
  }
}

/// Packs `count` rows into groups of `Width`: [ceil(count/Width)][depth][Width].
template <class Arch, size_t Width>
inline void packRows(const float* rows, size_t stride, size_t count, size_t depth, float factor, float* out) {
  for (size_t r = 0; r < count; r += Width, out += depth * Width) {
    packGroup<Arch, Width>(rows + r * stride, stride, std::min(Width, count - r), depth, factor, out);
  }
}

/// Copies the last, incomplete group of columns to rows of a full tile's width, filled up with zeros.
inline void packTailColumns(const float* rows, size_t stride, size_t count, size_t columns, size_t width,
                            float* out) {
  for (size_t r = 0; r < count; ++r, out += width) {
    std::copy_n(rows + r * stride, columns, out);
    std::fill(out + columns, out + width, 0.0f);
  }
}

}  // namespace attention::kernels
