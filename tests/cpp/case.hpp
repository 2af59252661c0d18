#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
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

/// What a test chooses by: a generator, or a fuzzer's bytes, and when they are used up the least of
/// everything.
class Random {
 public:
  explicit Random(uint32_t seed) : generator_(seed) {}
  explicit Random(std::span<const uint8_t> bytes) : bytes_(bytes), generator_(1), isFuzzed_(true) {}

  size_t between(size_t least, size_t most) {
    if (!isFuzzed_) return std::uniform_int_distribution<size_t>(least, most)(generator_);
    size_t value = 0;
    for (size_t range = most - least; range != 0 && !bytes_.empty(); range >>= 8) value = value << 8 | byte();
    return least + value % (most - least + 1);
  }
  bool chance(double probability) {
    if (!isFuzzed_) return std::bernoulli_distribution(probability)(generator_);
    return !bytes_.empty() && byte() >= 256 * (1 - probability);
  }
  /// Of values that no fuzzer needs to choose one by one.
  std::mt19937& generator() { return generator_; }

 private:
  uint8_t byte() {
    const uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }

  std::span<const uint8_t> bytes_;
  std::mt19937 generator_;
  bool isFuzzed_ = false;
};

inline size_t between(Random& random, size_t least, size_t most) { return random.between(least, most); }

inline bool chance(Random& random, double probability) { return random.chance(probability); }

inline Owned<float> normal(Random& random, const Shape& shape, float scale = 1.0f) {
  std::normal_distribution<float> distribution(0.0f, scale);
  Owned<float> tensor{shape, std::vector<float>(*checkedProduct(shape.dims()))};
  for (float& value : tensor.values) value = distribution(random.generator());
  return tensor;
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
