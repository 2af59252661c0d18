#include <algorithm>

#include "../kernels/pack.hpp"
#include "../kernels/store_row.hpp"
#include "linear.hpp"

/// Weights in the order in which kernels/linear_block.hpp reads them.
namespace attention {

using Arch = simd::DefaultArch;

namespace {

constexpr size_t kColumns = kernels::Tile<Arch>::columns;

/// A column of a panel for each row of the weights, up to a whole panel.
void packPanels8(const TensorView& rows, int8_t* panels, float* factors, int8_t* row) {
  const size_t count = rows.shape[0], inputs = rows.shape[1];
  for (size_t n = 0; n < kernels::roundUp(count, kColumns); ++n) {
    std::fill_n(row, inputs, int8_t{0});
    factors[n] = n < count ? kernels::storeRow(rows.floats() + n * inputs, inputs, row) : 0.0f;
    int8_t* to = panels + n / kColumns * kColumns * inputs + n % kColumns;
    for (size_t k = 0; k < inputs; ++k) to[k * kColumns] = row[k];
  }
}

static_assert(kPackedRows % kColumns == 0);

}  // namespace

std::optional<size_t> PanelSizes::floats() const {
  if (outputs > kLargestBlock) return std::nullopt;
  const size_t rounded = kernels::roundUp(outputs, kColumns);
  const size_t values[] = {rounded, inputs};
  const std::optional<size_t> count = checkedProduct(values);
  if (!count || dtype == DType::kPanels) return count;
  // Panels of int8 are whole floats; the factors follow all of them.
  return *count / sizeof(float) + rounded;
}

Status packPanels(const TensorView& rows, const PanelSizes& sizes, size_t first, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("weight", rows));
  const bool fits = rows.rank() == 2 && rows.shape[1] == sizes.inputs && first <= sizes.outputs &&
                    rows.shape[0] <= sizes.outputs - first;
  if (!fits) {
    return shapeMismatch("weight", Message() << "got shape " << rows.shape.dims() << ", wanted [out,in]");
  }
  if (first % kPackedRows != 0) {
    return invalidArgument("weight", Message() << "got row " << static_cast<int64_t>(first)
                                               << " to begin with, wanted a multiple of "
                                               << static_cast<int64_t>(kPackedRows));
  }
  const std::optional<size_t> floats = sizes.floats();
  if (!floats) return outOfMemory("weight");
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", {*floats}, arena, {&rows, 1}));
  if (sizes.dtype == DType::kPanels) {
    kernels::packPanels<Arch>(rows.floats(), sizes.inputs, rows.shape[0], sizes.inputs,
                              out.floats() + first * sizes.inputs);
    return {};
  }
  auto* row = static_cast<int8_t*>(arena.allocate(sizes.inputs));
  if (row == nullptr) return outOfMemory("weight");
  const size_t factorsAt = *floats - kernels::roundUp(sizes.outputs, kColumns);
  packPanels8(rows, reinterpret_cast<int8_t*>(out.floats()) + first * sizes.inputs,
              out.floats() + factorsAt + first, row);
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
