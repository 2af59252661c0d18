#pragma once

#include <algorithm>

#include "../simd/widen.hpp"

namespace attention::kernels {

/// Queries that meet a key while it is in registers.
inline constexpr size_t kDotRows = 4;
/// Keys of one step of dotRows.
inline constexpr size_t kDotKeys = 4;

/// For few rows, where sorting keys into panels would cost more than the products: scores[r·stride + j] =
/// q(r)·k(j), every key read once and widened in registers. Rows is 1 or kDotRows; `count` keys, and up to
/// the next kDotKeys the last one again. The depth is a whole number of register pairs.
///
/// Each lane sums its own share of the depth, a quarter of it: as exact as parts of sums.
template <class Arch, size_t Rows, class Element>
[[gnu::noinline]] void dotRows(const float* queries, size_t depth, const Element* keys, size_t keyStride,
                               size_t count, float* scores, size_t stride) {
  using F = simd::Floats<Arch>;
  constexpr size_t kLanes = simd::kLanes<Arch>;
  const simd::LoadPair<Arch, Element> load;
  static_assert(kLanes == kDotKeys);
  static_assert(kLanes == kDotRows);
  // All sums at once would not fit the registers: two keys at a time for four rows.
  constexpr size_t kAtOnce = Rows == 1 ? kDotKeys : 2;
  for (size_t j = 0; j < count; j += kDotKeys) {
    F sums[Rows == 1 ? 1 : kDotKeys];  // of each key for all rows, or of all keys for one row
#pragma GCC unroll 1
    for (size_t first = 0; first < kDotKeys; first += kAtOnce) {
      const Element* key[kAtOnce];
#pragma GCC unroll 4
      for (size_t n = 0; n < kAtOnce; ++n) key[n] = keys + std::min(j + first + n, count - 1) * keyStride;
      F sum[Rows][kAtOnce];
#pragma GCC unroll 4
      for (size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (size_t n = 0; n < kAtOnce; ++n) sum[r][n] = F(0.0f);
      }
      for (size_t d = 0; d < depth; d += 2 * kLanes) {
#pragma GCC unroll 4
        for (size_t n = 0; n < kAtOnce; ++n) {
          const simd::Pair<Arch> k = load(key[n] + d);
#pragma GCC unroll 4
          for (size_t r = 0; r < Rows; ++r) {
            const float* query = queries + r * depth + d;
            sum[r][n] = simd::multiplyAdd<Arch>(F::load_unaligned(query), k.low, sum[r][n]);
            sum[r][n] = simd::multiplyAdd<Arch>(F::load_unaligned(query + kLanes), k.high, sum[r][n]);
          }
        }
      }
      if constexpr (Rows == 1) {
        sums[0] = xsimd::haddp(sum[0]);
      } else {
#pragma GCC unroll 4
        for (size_t n = 0; n < kAtOnce; ++n) {
          const F ofRows[] = {sum[0][n], sum[1][n], sum[2][n], sum[3][n]};
          sums[first + n] = xsimd::haddp(ofRows);
        }
      }
    }
    if constexpr (Rows != 1) xsimd::transpose(sums, sums + kDotKeys);
    for (size_t r = 0; r < Rows; ++r) sums[r].store_unaligned(scores + r * stride + j);
  }
}

}  // namespace attention::kernels
