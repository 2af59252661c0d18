#include <algorithm>
#include <functional>

#include "checks.hpp"

namespace attention {

namespace {

/// Sizes of the result of broadcasting from the right; nothing where the shapes do not fit.
std::optional<Shape> broadcastShape(const Shape& x, const Shape& y) {
  Shape shape = x.rank() >= y.rank() ? x : y;
  const Shape& shorter = x.rank() >= y.rank() ? y : x;
  for (int i = 1; i <= shorter.rank(); ++i) {
    size_t& size = shape[shape.rank() - i];
    const size_t other = shorter[shorter.rank() - i];
    if (size != other && size != 1 && other != 1) return std::nullopt;
    if (size == 1) size = other;
  }
  return shape;
}

/// Steps of `x` along the axes of `shape`: 0 where it broadcasts.
std::array<size_t, kMaxRank> stepsAlong(const Shape& shape, const TensorView& x) {
  std::array<size_t, kMaxRank> steps{};
  const int missing = shape.rank() - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool repeats = x.shape[axis] == 1 && shape[axis + missing] != 1;
    steps[static_cast<size_t>(axis + missing)] = repeats ? 0 : x.strides[static_cast<size_t>(axis)];
  }
  return steps;
}

/// Where the row `row` (an index over all axes but the last) starts.
size_t rowStart(const Shape& shape, const std::array<size_t, kMaxRank>& steps, size_t row) {
  size_t start = 0;
  for (int axis = shape.rank() - 2; axis >= 0; --axis) {
    start += row % shape[axis] * steps[static_cast<size_t>(axis)];
    row /= shape[axis];
  }
  return start;
}

/// to = f(x, y) row by row of the broadcast shape.
template <class Function>
void forEachRow(const TensorView& x, const TensorView& y, const TensorView& to, Function f) {
  const Shape& shape = to.shape;
  const auto xSteps = stepsAlong(shape, x), ySteps = stepsAlong(shape, y);
  const size_t width = shape.last(), rows = countOf(shape, 0, shape.rank() - 1);
  const size_t last = static_cast<size_t>(std::max(0, shape.rank() - 1));
  for (size_t row = 0; row < rows; ++row) {
    const float* left = x.floats() + rowStart(shape, xSteps, row);
    const float* right = y.floats() + rowStart(shape, ySteps, row);
    float* result = to.floats() + row * width;
    if (xSteps[last] == 1 && ySteps[last] == 1) {
      for (size_t i = 0; i < width; ++i) result[i] = f(left[i], right[i]);  // this loop vectorises
    } else {
      for (size_t i = 0; i < width; ++i) result[i] = f(left[i * xSteps[last]], right[i * ySteps[last]]);
    }
  }
}

}  // namespace

Status binary(Binary kind, const TensorView& x, const TensorView& y, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("x", x));
  ATTENTION_RETURN_IF_ERROR(checkFloat("y", y));
  const std::optional<Shape> shape = broadcastShape(x.shape, y.shape);
  if (!shape) {
    return shapeMismatch("y", Message() << "got shape " << y.shape.dims()
                                        << ", wanted one that broadcasts with x's " << x.shape.dims());
  }
  const TensorView inputs[] = {x, y};
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", *shape, arena, inputs, Aliasing::kOntoAny));
  if (out.view().count() == 0) return {};
  switch (kind) {
    case Binary::kAdd:
      forEachRow(x, y, out.view(), std::plus<>());
      break;
    case Binary::kMultiply:
      forEachRow(x, y, out.view(), std::multiplies<>());
      break;
  }
  return {};
}

}  // namespace attention
