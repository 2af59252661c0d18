#include <algorithm>

#include "checks.hpp"

namespace attention {

namespace {

/// Values of one index of the axes before `axis`: they lie one after the other.
size_t runOf(const TensorView& x, int axis) { return countOf(x.shape, axis, x.rank()); }

/// The shapes differ along `axis` alone.
bool isAlike(const Shape& x, const Shape& y, int axis) {
  if (x.rank() != y.rank()) return false;
  for (int a = 0; a < x.rank(); ++a) {
    if (a != axis && x[a] != y[a]) return false;
  }
  return true;
}

}  // namespace

Status concat(std::span<const TensorView> tensors, int axis, Output& out, Arena& arena) {
  const TensorView& first = tensors.front();
  ATTENTION_RETURN_IF_ERROR(resolveAxis(first, axis, &axis, "tensors"));
  Shape shape = first.shape;
  shape[axis] = 0;
  for (const TensorView& tensor : tensors) {
    ATTENTION_RETURN_IF_ERROR(checkFloat("tensors", tensor));
    if (!isAlike(tensor.shape, first.shape, axis)) {
      return shapeMismatch("tensors", Message()
                                          << "got shape " << tensor.shape.dims() << " beside "
                                          << first.shape.dims() << ", wanted the same but for axis " << axis);
    }
    if (tensor.shape[axis] > SIZE_MAX - shape[axis]) return outOfMemory("");
    shape[axis] += tensor.shape[axis];
  }
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", shape, arena, tensors));
  if (out.view().count() == 0) return {};
  float* to = out.floats();
  for (size_t row = 0; row < countOf(shape, 0, axis); ++row) {
    for (const TensorView& tensor : tensors) {
      const size_t run = runOf(tensor, axis);
      to = std::copy_n(tensor.floats() + row * run, run, to);
    }
  }
  return {};
}

Status slice(const TensorView& x, int axis, Range range, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("x", x));
  ATTENTION_RETURN_IF_ERROR(resolveAxis(x, axis, &axis));
  Shape shape = x.shape;
  shape[axis] = range.end - range.begin;
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", shape, arena, {&x, 1}));
  if (out.view().count() == 0) return {};
  const size_t inner = countOf(shape, axis + 1, shape.rank());
  float* to = out.floats();
  for (size_t row = 0; row < countOf(shape, 0, axis); ++row)
    to = std::copy_n(x.floats() + row * runOf(x, axis) + range.begin * inner, shape[axis] * inner, to);
  return {};
}

}  // namespace attention
