#pragma once

#include <optional>

#include "attention/layers.hpp"

namespace attention {

inline Status checkFloat(const char* argument, const TensorView& x) {
  if (x.dtype == DType::kFloat32) return {};
  return unsupportedDtype(argument, x.dtype, "float32 or float16");
}

inline Status checkShape(const char* argument, const TensorView& x, const Shape& want, const char* letters) {
  ATTENTION_RETURN_IF_ERROR(checkFloat(argument, x));
  if (x.shape == want) return {};
  return shapeMismatch(argument, Message() << "got shape " << x.shape.dims() << ", wanted " << letters
                                           << " = " << want.dims());
}

inline Status checkShape(const char* argument, const std::optional<TensorView>& x, const Shape& want,
                         const char* letters) {
  return x ? checkShape(argument, *x, want, letters) : Status();
}

/// The axis counted from the front.
inline Status resolveAxis(const TensorView& x, int axis, int* resolved, const char* argument = "x") {
  if (x.rank() == 0) return shapeMismatch(argument, Message() << "got shape [], wanted at least one axis");
  *resolved = axis < 0 ? axis + x.rank() : axis;
  if (*resolved >= 0 && *resolved < x.rank()) return {};
  return invalidArgument("options.axis", Message() << "got " << axis << ", wanted -" << x.rank() << ".."
                                                   << x.rank() - 1 << " for shape " << x.shape.dims());
}

/// Product of the sizes of axes [from, to).
inline size_t countOf(const Shape& shape, int from, int to) {
  size_t count = 1;
  for (int axis = from; axis < to; ++axis) count *= shape[axis];
  return count;
}

}  // namespace attention
