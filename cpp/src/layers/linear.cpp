#include "linear.hpp"

#include "../kernels/activation.hpp"
#include "../kernels/linear_block.hpp"
#include "../runtime/threads.hpp"

namespace attention {

namespace {

using Arch = simd::DefaultArch;
using LinearBlock = kernels::LinearBlock<Arch>;

/// Products below which other threads would not be awake before the work is done.
constexpr uint64_t kSharedProducts = 1 << 20;
/// Outputs of one item of shared work: fewer would pack the rows too often.
constexpr size_t kSharedOutputs = 24 * kernels::Tile<Arch>::columns;

}  // namespace

Status checkLinear(const LinearNames& names, const TensorView& x, const TensorView& weight,
                   const std::optional<TensorView>& bias, Shape* shape) {
  ATTENTION_RETURN_IF_ERROR(checkFloat(names.x, x));
  if (!isPanels(weight.dtype)) ATTENTION_RETURN_IF_ERROR(checkFloat(names.weight, weight));
  if (x.rank() < 1) return shapeMismatch(names.x, Message() << "got a scalar, wanted [...,in]");
  if (weight.rank() != 2 || weight.shape[1] != x.shape.last()) {
    return shapeMismatch(
        names.weight, Message() << "got shape " << weight.shape.dims() << ", wanted [out,in] with in = "
                                << static_cast<int64_t>(x.shape.last()) << ", the last axis of " << names.x);
  }
  ATTENTION_RETURN_IF_ERROR(checkShape(names.bias, bias, {weight.shape[0]}, "[out]"));
  *shape = x.shape;
  (*shape)[x.rank() - 1] = weight.shape[0];
  return {};
}

float* linearScratch(Arena& arena) { return arena.floats({threadCount(), LinearBlock::kScratch}); }

void runLinear(const TensorView& x, const TensorView& weight, const std::optional<TensorView>& bias,
               float* out, float* scratch, Activation activation) {
  const kernels::LinearWeights weights{weight.data, weight.shape[1], weight.shape[0], weight.dtype};
  const size_t rows = countOf(x.shape, 0, x.rank() - 1);
  const size_t rowBlocks = (rows + LinearBlock::kBlockRows - 1) / LinearBlock::kBlockRows;
  // Whole tiles, and no block of a few rows at the end.
  const size_t blockRows =
      kernels::roundUp((rows + rowBlocks - 1) / std::max<size_t>(1, rowBlocks), kernels::Tile<Arch>::rows);
  const bool isShared =
      uint64_t{rows} * weights.inputs * weights.outputs >= kSharedProducts && threadCount() > 1;
  const size_t columns = isShared ? kSharedOutputs : std::max<size_t>(1, weights.outputs);
  const size_t columnBlocks = (weights.outputs + columns - 1) / columns;
  const auto run = [&](size_t item, size_t thread) {
    const size_t block = item / columnBlocks, column = item % columnBlocks * columns;
    const size_t row = block * blockRows, count = std::min(blockRows, rows - row);
    float* at = out + row * weights.outputs;
    LinearBlock(weights, bias ? bias->floats() : nullptr, scratch + thread * LinearBlock::kScratch)
        .run(x.floats() + row * weights.inputs, count, column, std::min(column + columns, weights.outputs),
             at, [&](float* strip, size_t width) {
               kernels::activateRows<Arch>(activation, strip, strip, weights.outputs, count, width);
             });
  };
  inParallel(rowBlocks * columnBlocks, run);
}

Status linear(const TensorView& x, const TensorView& weight, const std::optional<TensorView>& bias,
              Output& out, Arena& arena) {
  Shape shape;
  ATTENTION_RETURN_IF_ERROR(checkLinear({"x", "weight", "bias"}, x, weight, bias, &shape));
  const TensorView inputs[] = {x, weight, bias.value_or(x)};
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", shape, arena, inputs));
  if (out.view().count() == 0) return {};
  float* scratch = linearScratch(arena);
  if (scratch == nullptr) return outOfMemory("");
  runLinear(x, weight, bias, out.floats(), scratch);
  return {};
}

}  // namespace attention
