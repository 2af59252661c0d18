#include "attention/tensor.hpp"

#include <algorithm>

namespace attention {

bool Shape::operator==(const Shape& other) const { return std::ranges::equal(dims(), other.dims()); }

std::optional<size_t> checkedProduct(std::span<const size_t> factors) {
  // A zero anywhere makes the product zero, however large the others are.
  if (std::ranges::find(factors, size_t{0}) != factors.end()) return 0;
  size_t product = 1;
  for (const size_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) return std::nullopt;
  }
  return product;
}

TensorView TensorView::contiguous(void* data, DType dtype, const Shape& shape) {
  TensorView view{data, dtype, shape, {}};
  size_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    view.strides[static_cast<size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return view;
}

size_t TensorView::count() const { return checkedProduct(shape.dims()).value_or(0); }

}  // namespace attention
