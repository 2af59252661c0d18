#include "../kernels/activation.hpp"
#include "../runtime/threads.hpp"
#include "linear.hpp"

namespace attention {

namespace {

/// Rows of hidden values that a thread holds at one time, whatever the sequence's length.
constexpr size_t kChunkRows = 96;

}  // namespace

Status activation(Activation kind, const TensorView& x, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("x", x));
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", x.shape, arena, {&x, 1}, Aliasing::kOntoFirst));
  kernels::activateRows<simd::DefaultArch>(kind, x.floats(), out.floats(), 0, 1, x.count());
  return {};
}

Status feedForward(const TensorView& x, const FeedForwardWeights& weights, Activation kind, Output& out,
                   Arena& arena) {
  Shape hidden, shape;
  ATTENTION_RETURN_IF_ERROR(
      checkLinear({"x", "weights.up", "weights.upBias"}, x, weights.up, weights.upBias, &hidden));
  if (weights.gate) {
    TensorView gate = *weights.gate;
    if (isPanels(gate.dtype)) gate.dtype = DType::kFloat32;
    ATTENTION_RETURN_IF_ERROR(checkShape("weights.gate", gate, weights.up.shape, "the shape of up"));
    ATTENTION_RETURN_IF_ERROR(
        checkShape("weights.gateBias", weights.gateBias, {weights.up.shape[0]}, "[out of up]"));
  } else if (weights.gateBias) {
    return invalidArgument("weights.gateBias", Message() << "got it without a gate, wanted both or none");
  }
  const TensorView hiddenView = TensorView::contiguous(nullptr, DType::kFloat32, hidden);
  ATTENTION_RETURN_IF_ERROR(checkLinear({"the hidden layer", "weights.down", "weights.downBias"}, hiddenView,
                                        weights.down, weights.downBias, &shape));
  const TensorView inputs[] = {x,
                               weights.up,
                               weights.down,
                               weights.gate.value_or(x),
                               weights.upBias.value_or(x),
                               weights.downBias.value_or(x),
                               weights.gateBias.value_or(x)};
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", shape, arena, inputs));

  if (out.view().count() == 0) return {};
  const size_t rows = countOf(x.shape, 0, x.rank() - 1), width = hidden.last();
  const size_t most = std::min(rows, threadCount() * kChunkRows);
  float* up = arena.floats({most, width});
  float* gate = weights.gate ? arena.floats({most, width}) : up;
  float* scratch = linearScratch(arena);
  if (up == nullptr || gate == nullptr || scratch == nullptr) return outOfMemory("");
  for (size_t row = 0; row < rows; row += most) {
    const size_t count = std::min(most, rows - row);
    const TensorView part =
        TensorView::contiguous(x.floats() + row * x.shape.last(), DType::kFloat32, {count, x.shape.last()});
    if (weights.gate) {
      runLinear(part, weights.up, weights.upBias, up, scratch);
      runLinear(part, *weights.gate, weights.gateBias, gate, scratch, kind);
      once([&] {
        for (size_t i = 0; i < count * width; ++i) up[i] *= gate[i];
      });
    } else {
      runLinear(part, weights.up, weights.upBias, up, scratch, kind);
    }
    const TensorView held = TensorView::contiguous(up, DType::kFloat32, {count, width});
    runLinear(held, weights.down, weights.downBias, out.floats() + row * shape.last(), scratch);
  }
  return {};
}

}  // namespace attention
