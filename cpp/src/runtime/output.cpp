#include "attention/output.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace attention {

namespace {

struct Bytes {
  uintptr_t begin, end;
  bool operator==(const Bytes&) const = default;
};

Bytes bytesOf(const TensorView& view) {
  const auto begin = reinterpret_cast<uintptr_t>(view.data);
  return {begin, begin + view.count() * byteSize(view.dtype)};
}

/// Null where there is no memory.
float* allocate(size_t count) {
  const size_t factors[] = {std::max<size_t>(count, 1), sizeof(float)};
  const std::optional<size_t> bytes = checkedProduct(factors);
  return bytes && *bytes <= kLargestBlock ? static_cast<float*>(std::malloc(*bytes)) : nullptr;
}

}  // namespace

Output Output::into(const TensorView& given) {
  Output output;
  output.given_ = true;
  output.view_ = given;
  return output;
}

Output Output::like(const TensorView& given) {
  Output output = into(given);
  output.isLike_ = true;
  return output;
}

Output Output::ofLength(size_t length) {
  Output output;
  output.length_ = length;
  return output;
}

Output Output::kept() {
  Output output;
  output.isKept_ = true;
  return output;
}

void Output::discard() {
  if (isKept_) std::free(view_.data);
  view_ = {};
}

Status Output::resolve(const char* argument, const Shape& shape, Arena& arena,
                       std::span<const TensorView> inputs, Aliasing aliasing) {
  const std::optional<size_t> count = checkedProduct(shape.dims());
  // Memory for a result that the caller gave no place for is no fault of an argument.
  const char* blamed = std::string_view(argument) == "options.out" && !length_ ? "" : argument;
  if (!count) return outOfMemory(blamed);
  if (length_ && *length_ != *count) {
    return shapeMismatch(argument, Message()
                                       << "got length " << static_cast<int64_t>(*length_) << ", wanted "
                                       << static_cast<int64_t>(*count) << " for shape " << shape.dims());
  }
  if (given_) ATTENTION_RETURN_IF_ERROR(checkGiven(argument, shape, inputs, aliasing));
  if (given_ && !isLike_) return {};
  float* room = isKept_ ? allocate(*count) : arena.floats({*count});
  if (room == nullptr) return outOfMemory(blamed);
  view_ = TensorView::contiguous(room, DType::kFloat32, shape);
  return {};
}

Status Output::checkGiven(const char* argument, const Shape& shape, std::span<const TensorView> inputs,
                          Aliasing aliasing) const {
  if (view_.dtype != DType::kFloat32) return unsupportedDtype(argument, view_.dtype, "a float32 tensor");
  if (view_.shape != shape) {
    return shapeMismatch(argument, Message()
                                       << "got shape " << view_.shape.dims() << ", wanted " << shape.dims());
  }
  const Bytes own = bytesOf(view_);
  const auto isOwn = [&](const TensorView& input) { return bytesOf(input) == own; };
  const bool isOnto = (aliasing != Aliasing::kNone && isOwn(inputs.front())) ||
                      (aliasing == Aliasing::kOntoAny && std::ranges::any_of(inputs, isOwn));
  for (const TensorView& input : inputs) {
    const Bytes other = bytesOf(input);
    const bool apart = own.end <= other.begin || other.end <= own.begin;
    if (!apart && !(isOnto && other == own)) {
      return invalidArgument(argument, Message()
                                           << "got memory that overlaps an input, wanted memory of its own");
    }
  }
  return {};
}

}  // namespace attention
