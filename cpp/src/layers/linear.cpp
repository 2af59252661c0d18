#include "linear.hpp"

#include "../kernels/linear_block.hpp"

namespace attention {

using Block = kernels::LinearBlock<simd::DefaultArch>;

Status checkLinear(const LinearNames& names, const TensorView& x, const TensorView& weight,
                   const std::optional<TensorView>& bias, Shape* shape) {
  ATTENTION_RETURN_IF_ERROR(checkFloat(names.x, x));
  ATTENTION_RETURN_IF_ERROR(checkFloat(names.weight, weight));
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

float* linearScratch(Arena& arena) { return arena.floats({Block::kScratch}); }

void runLinear(const TensorView& x, const TensorView& weight, const std::optional<TensorView>& bias,
               float* out, float* scratch) {
  const size_t inputs = weight.shape[1], outputs = weight.shape[0];
  const size_t rows = countOf(x.shape, 0, x.rank() - 1);
  for (size_t row = 0; row < rows; ++row) {
    if (bias) {
      std::copy_n(bias->floats(), outputs, out + row * outputs);
    } else {
      std::fill_n(out + row * outputs, outputs, 0.0f);
    }
  }
  Block(weight.floats(), inputs, outputs, scratch).run(x.floats(), rows, out);
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
