#include <algorithm>
#include <cmath>

#include "../runtime/half.hpp"
#include "../runtime/power.hpp"
#include "linear.hpp"

namespace attention {

namespace {

/// `count` values of `x` from `start` on, widened where they are halves.
void copyFloats(const TensorView& x, size_t start, size_t count, float* to) {
  if (x.dtype == DType::kFloat32) {
    std::copy_n(x.floats() + start, count, to);
  } else {
    const auto* halves = static_cast<const uint16_t*>(x.data) + start;
    std::transform(halves, halves + count, to, halfToFloat);
  }
}

Status checkIds(const TensorView& ids, size_t vocabulary) {
  if (ids.dtype != DType::kInt32) return unsupportedDtype("ids", ids.dtype, "int32 or int64");
  const auto* values = static_cast<const int32_t*>(ids.data);
  for (size_t i = 0; i < ids.count(); ++i) {
    if (values[i] < 0 || static_cast<size_t>(values[i]) >= vocabulary) {
      return invalidArgument("ids", Message()
                                        << "got " << values[i] << " at index " << static_cast<int64_t>(i)
                                        << ", wanted 0.." << static_cast<int64_t>(vocabulary) - 1);
    }
  }
  return {};
}

}  // namespace

Status toFloat32(const TensorView& x, Output& out, Arena& arena) {
  if (x.dtype != DType::kFloat32 && x.dtype != DType::kFloat16) {
    return unsupportedDtype("data", x.dtype, "float32 or float16");
  }
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", x.shape, arena, {&x, 1}));
  copyFloats(x, 0, x.count(), out.floats());
  return {};
}

Status embedding(const TensorView& ids, const TensorView& table, Output& out, Arena& arena) {
  if (table.dtype != DType::kFloat32 && table.dtype != DType::kFloat16 && !isPanels(table.dtype)) {
    return unsupportedDtype("table", table.dtype, "float32, float16 or a packed weight");
  }
  if (table.rank() != 2) {
    return shapeMismatch("table", Message() << "got shape " << table.shape.dims() << ", wanted [V,E]");
  }
  if (ids.rank() != 1 && ids.rank() != 2) {
    return shapeMismatch("ids", Message() << "got shape " << ids.shape.dims() << ", wanted [S] or [B,S]");
  }
  ATTENTION_RETURN_IF_ERROR(checkIds(ids, table.shape[0]));
  Shape shape = ids.shape;
  const size_t width = table.shape[1];
  shape.push(width);
  const TensorView inputs[] = {ids, table};
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", shape, arena, inputs));
  const auto* rows = static_cast<const int32_t*>(ids.data);
  for (size_t i = 0; i < ids.count(); ++i) {
    const auto row = static_cast<size_t>(rows[i]);
    float* to = out.floats() + i * width;
    if (isPanels(table.dtype)) {
      copyPanelRow(table, row, to);
    } else {
      copyFloats(table, row * width, width, to);
    }
  }
  return {};
}

Status sinusoidalPositions(size_t length, size_t size, double offset, double base, Output& out,
                           Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(out.resolve("length", {length, size}, arena));
  for (size_t p = 0; p < length; ++p) {
    for (size_t column = 0; column < size; ++column) {
      const double exponent = static_cast<double>(column - column % 2) / static_cast<double>(size);
      const double angle = (offset + static_cast<double>(p)) / power(base, exponent);
      out.floats()[p * size + column] =
          static_cast<float>(column % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return {};
}

}  // namespace attention
