#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

namespace attention {

/// kPanels, kPanels8: weights of a linear layer in the order its kernel reads them, float32, or int8 and then
/// a float32 factor for each output.
enum class DType : int32_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt8 = 2,
  kInt32 = 3,
  kBool = 4,
  kPanels = 5,
  kPanels8 = 6
};

constexpr bool isPanels(DType dtype) { return dtype == DType::kPanels || dtype == DType::kPanels8; }

constexpr size_t byteSize(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kInt32:
    case DType::kPanels:
      return 4;
    case DType::kFloat16:
      return 2;
    case DType::kInt8:
    case DType::kBool:
    case DType::kPanels8:
      return 1;
  }
  return 0;
}

constexpr const char* nameOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat16:
      return "float16";
    case DType::kInt8:
      return "int8";
    case DType::kInt32:
      return "int32";
    case DType::kBool:
      return "bool";
    case DType::kPanels:
    case DType::kPanels8:
      return "panels";
  }
  return "unknown";
}

inline constexpr int kMaxRank = 8;

/// Sizes, outermost first. Rank 0 is a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<size_t> dims) {
    for (const size_t dim : dims) push(dim);
  }
  int rank() const { return rank_; }
  size_t operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  size_t& operator[](int axis) { return dims_[static_cast<size_t>(axis)]; }
  size_t last() const { return rank_ == 0 ? 1 : dims_[static_cast<size_t>(rank_ - 1)]; }
  void push(size_t dim) { dims_[static_cast<size_t>(rank_++)] = dim; }
  std::span<const size_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  bool operator==(const Shape& other) const;

 private:
  std::array<size_t, kMaxRank> dims_{};
  int rank_ = 0;
};

/// Sizes multiply only through this: wasm32's size_t wraps at 4 GiB.
std::optional<size_t> checkedProduct(std::span<const size_t> factors);

/// Memory seen as a tensor: pointer, element type, shape, and the distance in elements between neighbours on
/// each axis. It owns nothing.
struct TensorView {
  void* data = nullptr;
  DType dtype = DType::kFloat32;
  Shape shape;
  std::array<size_t, kMaxRank> strides{};

  /// A view of contiguous memory, last axis innermost.
  static TensorView contiguous(void* data, DType dtype, const Shape& shape);

  int rank() const { return shape.rank(); }
  float* floats() const { return static_cast<float*>(data); }
  /// Number of elements, of a view whose memory exists: the product cannot overflow.
  size_t count() const;
};

/// Row `row` of head `head` of batch entry `batch` of a [B,H,S,D] view of floats.
inline float* rowOf(const TensorView& heads, size_t batch, size_t head, size_t row) {
  return heads.floats() + batch * heads.strides[0] + head * heads.strides[1] + row * heads.strides[2];
}

}  // namespace attention
