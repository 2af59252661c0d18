// What the engine could do at most: the register tile with both operands in the first-level cache, and
// reading memory.
#include <emscripten/emscripten.h>

#include "../../cpp/src/kernels/matmul_tile.hpp"

namespace {

using attention::kernels::fixedTile;
using attention::kernels::kPacked;
using attention::kernels::Start;
using attention::simd::DefaultArch;
using Tile = attention::kernels::Tile<DefaultArch>;

constexpr size_t kDepth = 128;

float rowsOperand[Tile::rows * kDepth];
float columnsOperand[kDepth * Tile::columns];
float sums[Tile::rows * Tile::columns];

template <size_t Stride>
void multiply(size_t times) {
  for (size_t i = 0; i < times; ++i) {
    fixedTile<DefaultArch, Start::kFromC, Tile::rows, Stride>(kDepth, rowsOperand, columnsOperand,
                                                              Tile::columns, sums, Tile::columns);
  }
}

}  // namespace

extern "C" {

/// Multiplications and additions of one tile, each counted.
EMSCRIPTEN_KEEPALIVE size_t tileOperations() { return 2 * Tile::rows * Tile::columns * kDepth; }

/// Rows packed, as the queries of Q·Kᵀ are.
EMSCRIPTEN_KEEPALIVE void tilesOfPackedRows(size_t times) { multiply<kPacked>(times); }

/// Rows as they lie, as the probabilities of P·V do.
EMSCRIPTEN_KEEPALIVE void tilesOfRowsInPlace(size_t times) { multiply<kDepth>(times); }

/// Of `count` floats, a multiple of 32.
EMSCRIPTEN_KEEPALIVE float sum(const float* from, size_t count) {
  using F = attention::simd::Floats<DefaultArch>;
  constexpr size_t kLanes = attention::simd::kLanes<DefaultArch>, kSums = 8;
  F parts[kSums];
  for (F& part : parts) part = F(0.0f);
  for (const float* end = from + count; from < end; from += kSums * kLanes) {
#pragma GCC unroll 8
    for (size_t i = 0; i < kSums; ++i) parts[i] += F::load_unaligned(from + i * kLanes);
  }
  F whole(0.0f);
  for (const F& part : parts) whole += part;
  return xsimd::reduce_add(whole);
}
}
