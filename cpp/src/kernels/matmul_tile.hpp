#pragma once

#include <cstddef>

#include "../simd/widen.hpp"

namespace attention::kernels {

/// Rows and columns of the register tile. WebAssembly has 16 registers: with fused multiply-add 6×8 fills
/// them (12 sums, 2 columns, 1 row value); without, the product needs one more and 6×8 spills, so 4×8 is
/// used. Fewer rows take a smaller tile where that leaves less of it empty.
template <class Arch>
struct Tile {
  static constexpr size_t rows = 4;
  static constexpr size_t fewRows = 2;
  static constexpr size_t columns = 2 * simd::kLanes<Arch>;
};
#if defined(__wasm_relaxed_simd__)
template <>
struct Tile<simd::RelaxedWasm> {
  static constexpr size_t rows = 6;
  static constexpr size_t fewRows = 4;
  static constexpr size_t columns = 8;
};
#endif

/// Rows of the next tile where `left` rows are left: two small tiles take what a large and a nearly empty one
/// would.
template <class Arch>
constexpr size_t tileRows(size_t left) {
  constexpr size_t kRows = Tile<Arch>::rows, kFew = Tile<Arch>::fewRows;
  if (left <= kFew) return kFew;
  if constexpr (2 * kFew > kRows) {
    if (left > kRows && left <= 2 * kFew) return kFew;
  }
  return kRows;
}

/// What becomes of C: A·B, or C + A·B summed up from C, or C added to A·B in the end, which keeps the sum of
/// a long product as exact as its parts.
enum class Start { kZero, kFromC, kAddedLast };

/// In place of a stride.
inline constexpr size_t kPacked = 0;

/// C (Rows × columns) = [C +] A·B over `depth`.
///
/// A(r,k) is a[k·Rows + r], as packTiles leaves it, or with a Stride a[r·Stride + k]: distances known at
/// compile time become offsets inside the load instructions, so that six rows cost no address registers. B's
/// row k starts at b + k·bStride, C's row r at c + r·cStride.
template <class Arch, Start start, size_t Rows, size_t Stride, class Element>
[[gnu::noinline]] void fixedTile(size_t depth, const float* a, const Element* b, size_t bStride, float* c,
                                 size_t cStride) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  constexpr size_t kRowStep = Stride == kPacked ? 1 : Stride, kDepthStep = Stride == kPacked ? Rows : 1;
  const simd::LoadPair<Arch, Element> load;
  F left[Rows], right[Rows];
#pragma GCC unroll 8
  for (size_t r = 0; r < Rows; ++r) {
    left[r] = start == Start::kFromC ? F::load_unaligned(c + r * cStride) : F(0.0f);
    right[r] = start == Start::kFromC ? F::load_unaligned(c + r * cStride + kLanes) : F(0.0f);
  }
  for (size_t k = 0; k < depth; ++k, a += kDepthStep, b += bStride) {
    const simd::Pair<Arch> columns = load(b);
#pragma GCC unroll 8
    for (size_t r = 0; r < Rows; ++r) {
      const F row(a[r * kRowStep]);
      left[r] = simd::multiplyAdd<Arch>(row, columns.low, left[r]);
      right[r] = simd::multiplyAdd<Arch>(row, columns.high, right[r]);
    }
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < Rows; ++r) {
    if constexpr (start == Start::kAddedLast) {
      left[r] += F::load_unaligned(c + r * cStride);
      right[r] += F::load_unaligned(c + r * cStride + kLanes);
    }
    left[r].store_unaligned(c + r * cStride);
    right[r].store_unaligned(c + r * cStride + kLanes);
  }
}

/// The same on the smallest tile that holds `rows`; there is room for all of the tile.
template <class Arch, Start start, size_t Stride>
inline void matmulTile(size_t rows, size_t depth, const float* a, const float* b, size_t bStride, float* c,
                       size_t cStride) {
  if (rows <= Tile<Arch>::fewRows) {
    fixedTile<Arch, start, Tile<Arch>::fewRows, Stride>(depth, a, b, bStride, c, cStride);
  } else {
    fixedTile<Arch, start, Tile<Arch>::rows, Stride>(depth, a, b, bStride, c, cStride);
  }
}

}  // namespace attention::kernels
