#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "attention/layers.hpp"

namespace attention::test {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Memory of exactly its size, so that the sanitizers see every step beyond it.
template <class Value>
struct Owned {
  Shape shape;
  std::vector<Value> values;

  TensorView view() {
    DType dtype = DType::kFloat32;
    if constexpr (std::is_same_v<Value, uint16_t>) dtype = DType::kFloat16;
    if constexpr (std::is_same_v<Value, int8_t>) dtype = DType::kInt8;
    if constexpr (std::is_same_v<Value, int32_t>) dtype = DType::kInt32;
    if constexpr (std::is_same_v<Value, uint8_t>) dtype = DType::kBool;
    return TensorView::contiguous(values.data(), dtype, shape);
  }
};

/// To loop over.
using Lengths = std::initializer_list<size_t>;

using Random = std::mt19937;

inline Owned<float> normal(Random& random, const Shape& shape, float scale = 1.0f) {
  std::normal_distribution<float> distribution(0.0f, scale);
  Owned<float> tensor{shape, std::vector<float>(*checkedProduct(shape.dims()))};
  for (float& value : tensor.values) value = distribution(random);
  return tensor;
}

inline size_t between(Random& random, size_t least, size_t most) {
  return std::uniform_int_distribution<size_t>(least, most)(random);
}

inline bool chance(Random& random, double probability) {
  return std::bernoulli_distribution(probability)(random);
}

/// Largest |got - wanted|; infinite where one is NaN and the other is not, or where infinities differ.
inline double largestError(const float* got, const std::vector<double>& wanted) {
  double largest = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double value = static_cast<double>(got[i]);
    if (value == wanted[i] || (std::isnan(value) && std::isnan(wanted[i]))) continue;
    const double error = std::abs(value - wanted[i]);
    if (!(error <= largest)) largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return largest;
}

inline double largestMagnitude(const Owned<float>& tensor) {
  double largest = 0;
  for (float value : tensor.values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  return largest;
}

}  // namespace attention::test
