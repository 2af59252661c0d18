#include <algorithm>

#include "../kernels/norm_row.hpp"
#include "../kernels/pack.hpp"
#include "../kernels/softmax_rows.hpp"
#include "checks.hpp"

namespace attention {

namespace {

using Arch = simd::DefaultArch;

/// Softmax of one row in `scratch`, which has room for whole registers.
void softmaxInPlace(float* scratch, size_t n) {
  const size_t padded = kernels::roundUp(n, kernels::kStep<Arch>);
  std::fill(scratch + n, scratch + padded, kernels::kNegativeInfinity);
  float highest;
  kernels::rowMaxima<Arch, 1, 0>(scratch, padded, &highest);
  const simd::Exp2<Arch> exp2;
  const float sum = kernels::expRow<Arch>(exp2, scratch, padded, highest);
  kernels::scaleRow<Arch>(scratch, padded, 1.0f / sum);
}

}  // namespace

Status softmax(const TensorView& x, int axis, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("x", x));
  ATTENTION_RETURN_IF_ERROR(resolveAxis(x, axis, &axis));
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", x.shape, arena, {&x, 1}, Aliasing::kOntoFirst));
  if (x.count() == 0) return {};
  const size_t n = x.shape[axis], inner = countOf(x.shape, axis + 1, x.rank());
  const size_t outer = countOf(x.shape, 0, axis);
  float* scratch = arena.floats({kernels::roundUp(n, kernels::kStep<Arch>)});
  if (scratch == nullptr) return outOfMemory("");
  for (size_t row = 0; row < outer * inner; ++row) {
    const size_t start = row / inner * n * inner + row % inner;
    for (size_t i = 0; i < n; ++i) scratch[i] = x.floats()[start + i * inner];
    softmaxInPlace(scratch, n);
    for (size_t i = 0; i < n; ++i) out.floats()[start + i * inner] = scratch[i];
  }
  return {};
}

Status l2Normalize(const TensorView& x, int axis, double epsilon, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("x", x));
  ATTENTION_RETURN_IF_ERROR(resolveAxis(x, axis, &axis));
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", x.shape, arena, {&x, 1}, Aliasing::kOntoFirst));
  if (x.count() == 0) return {};
  const size_t n = x.shape[axis], inner = countOf(x.shape, axis + 1, x.rank());
  for (size_t row = 0; row < x.count() / n; ++row) {
    const size_t start = row / inner * n * inner + row % inner;
    kernels::l2NormalizeRow(x.floats() + start, n, inner, epsilon, out.floats() + start);
  }
  return {};
}

namespace {

/// A norm over the axes of x from `axis` to the end: `norm(row, n, to)` for each of its rows.
template <class Norm>
Status normalise(const TensorView& x, const std::optional<TensorView>& weight,
                 const std::optional<TensorView>& bias, int axis, Output& out, Arena& arena, Norm norm) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("x", x));
  ATTENTION_RETURN_IF_ERROR(resolveAxis(x, axis, &axis));
  Shape normalised;
  for (int a = axis; a < x.rank(); ++a) normalised.push(x.shape[a]);
  ATTENTION_RETURN_IF_ERROR(checkShape("weight", weight, normalised, "the axes of x from options.axis on"));
  ATTENTION_RETURN_IF_ERROR(checkShape("bias", bias, normalised, "the axes of x from options.axis on"));
  const TensorView inputs[] = {x, weight.value_or(x), bias.value_or(x)};
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", x.shape, arena, inputs, Aliasing::kOntoFirst));
  if (x.count() == 0) return {};
  const size_t n = countOf(x.shape, axis, x.rank()), rows = countOf(x.shape, 0, axis);
  for (size_t row = 0; row < rows; ++row) norm(x.floats() + row * n, n, out.floats() + row * n);
  return {};
}

const float* floatsOf(const std::optional<TensorView>& x) { return x ? x->floats() : nullptr; }

}  // namespace

Status layerNorm(const TensorView& x, const std::optional<TensorView>& weight,
                 const std::optional<TensorView>& bias, int axis, float epsilon, Output& out, Arena& arena) {
  return normalise(x, weight, bias, axis, out, arena, [&](const float* row, size_t n, float* to) {
    kernels::layerNormRow<Arch>(row, n, floatsOf(weight), floatsOf(bias), epsilon, to);
  });
}

Status rmsNorm(const TensorView& x, const std::optional<TensorView>& weight, int axis, float epsilon,
               Output& out, Arena& arena) {
  return normalise(x, weight, std::nullopt, axis, out, arena, [&](const float* row, size_t n, float* to) {
    kernels::rmsNormRow<Arch>(row, n, floatsOf(weight), epsilon, to);
  });
}

}  // namespace attention
