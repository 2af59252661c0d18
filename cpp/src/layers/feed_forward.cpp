#include "../kernels/elementwise.hpp"
#include "linear.hpp"

namespace attention {

namespace {

using Arch = simd::DefaultArch;
using F = simd::Floats<Arch>;

/// Rows whose hidden values are held at one time, whatever the sequence's length.
constexpr size_t kChunkRows = 96;

/// to = f(x) for n values; `to` may be `x`.
void activate(Activation kind, const float* x, size_t n, float* to) {
  switch (kind) {
    case Activation::kRelu:
      kernels::map<Arch>(x, n, to, kernels::relu<Arch>);
      break;
    case Activation::kGelu:
      kernels::map<Arch>(x, n, to, kernels::gelu<Arch>);
      break;
    case Activation::kGeluTanh:
      kernels::map<Arch>(x, n, to, kernels::geluTanh<Arch>);
      break;
    case Activation::kSilu:
      kernels::map<Arch>(x, n, to, kernels::Silu<Arch>());
      break;
    case Activation::kTanh:
      kernels::map<Arch>(x, n, to, [](F value) { return xsimd::tanh(value); });
      break;
  }
}

}  // namespace

Status activation(Activation kind, const TensorView& x, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("x", x));
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", x.shape, arena, {&x, 1}, Aliasing::kOntoFirst));
  activate(kind, x.floats(), x.count(), out.floats());
  return {};
}

Status feedForward(const TensorView& x, const FeedForwardWeights& weights, Activation kind, Output& out,
                   Arena& arena) {
  Shape hidden, shape;
  ATTENTION_RETURN_IF_ERROR(
      checkLinear({"x", "weights.up", "weights.upBias"}, x, weights.up, weights.upBias, &hidden));
  if (weights.gate) {
    ATTENTION_RETURN_IF_ERROR(checkShape("weights.gate", weights.gate, weights.up.shape, "the shape of up"));
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
  float* up = arena.floats({kChunkRows, width});
  float* gate = weights.gate ? arena.floats({kChunkRows, width}) : up;
  float* scratch = linearScratch(arena);
  if (up == nullptr || gate == nullptr || scratch == nullptr) return outOfMemory("");
  for (size_t row = 0; row < rows; row += kChunkRows) {
    const size_t count = std::min(kChunkRows, rows - row);
    const TensorView chunk =
        TensorView::contiguous(x.floats() + row * x.shape.last(), DType::kFloat32, {count, x.shape.last()});
    runLinear(chunk, weights.up, weights.upBias, up, scratch);
    if (weights.gate) runLinear(chunk, *weights.gate, weights.gateBias, gate, scratch);
    activate(kind, gate, count * width, gate);
    for (size_t i = 0; weights.gate && i < count * width; ++i) up[i] *= gate[i];
    const TensorView held = TensorView::contiguous(up, DType::kFloat32, {count, width});
    runLinear(held, weights.down, weights.downBias, out.floats() + row * shape.last(), scratch);
  }
  return {};
}

}  // namespace attention
