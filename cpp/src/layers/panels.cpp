#include <algorithm>

#include "../kernels/pack.hpp"
#include "../kernels/store_row.hpp"
#include "linear.hpp"

/// Weights in the order in which kernels/linear_block.hpp reads them.
namespace attention {

using Arch = simd::DefaultArch;

namespace {

constexpr size_t kColumns = kernels::Tile<Arch>::columns;

/// A column of a panel for each row of the weights.
void packPanels8(const TensorView& weight, int8_t* panels, float* factors, int8_t* row) {
  const size_t outputs = weight.shape[0], inputs = weight.shape[1];
  for (size_t n = 0; n < kernels::roundUp(outputs, kColumns); ++n) {
    std::fill_n(row, inputs, int8_t{0});
    factors[n] = n < outputs ? kernels::storeRow(weight.floats() + n * inputs, inputs, row) : 0.0f;
    int8_t* to = panels + n / kColumns * kColumns * inputs + n % kColumns;
    for (size_t k = 0; k < inputs; ++k) to[k * kColumns] = row[k];
  }
}

}  // namespace

std::optional<size_t> panelFloats(const TensorView& weight, DType panels) {
  if (weight.shape[0] > kLargestBlock) return std::nullopt;
  const size_t outputs = kernels::roundUp(weight.shape[0], kColumns);
  const size_t values[] = {outputs, weight.shape[1]};
  const std::optional<size_t> count = checkedProduct(values);
  if (!count || panels == DType::kPanels) return count;
  // Panels of int8 are whole floats.
  return *count / sizeof(float) + outputs;
}

Status packPanels(const TensorView& weight, DType panels, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("weight", weight));
  if (weight.rank() != 2) {
    return shapeMismatch("weight", Message() << "got shape " << weight.shape.dims() << ", wanted [out,in]");
  }
  const size_t outputs = weight.shape[0], inputs = weight.shape[1];
  const std::optional<size_t> floats = panelFloats(weight, panels);
  if (!floats) return outOfMemory("weight");
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", {*floats}, arena, {&weight, 1}));
  if (panels == DType::kPanels) {
    kernels::packPanels<Arch>(weight.floats(), inputs, outputs, inputs, out.floats());
    return {};
  }
  auto* row = static_cast<int8_t*>(arena.allocate(inputs));
  if (row == nullptr) return outOfMemory("weight");
  const size_t factorsAt = *floats - kernels::roundUp(outputs, kColumns);
  packPanels8(weight, reinterpret_cast<int8_t*>(out.floats()), out.floats() + factorsAt, row);
  return {};
}

void copyPanelRow(const TensorView& weight, size_t row, float* to) {
  const size_t inputs = weight.shape[1], first = row / kColumns * kColumns * inputs + row % kColumns;
  if (weight.dtype == DType::kPanels) {
    for (size_t k = 0; k < inputs; ++k) to[k] = weight.floats()[first + k * kColumns];
    return;
  }
  const auto* panels = static_cast<const int8_t*>(weight.data);
  const auto* factors =
      reinterpret_cast<const float*>(panels + kernels::roundUp(weight.shape[0], kColumns) * inputs);
  for (size_t k = 0; k < inputs; ++k) to[k] = static_cast<float>(panels[first + k * kColumns]) * factors[row];
}

}  // namespace attention
