#pragma once

#include "attention_case.hpp"
#include "runtime/half.hpp"

namespace attention::test {

/// Keys or values [B,Hkv,Skv,D] as they are stored, in memory of exactly its size.
struct Stored {
  Owned<uint16_t> halves;
  Owned<int8_t> integers;
  Owned<float> scales;
};

/// Halves of magnitudes below 4, one in ten of them subnormal, and the floats they are.
inline TensorView asHalves(Random& random, Owned<float>& floats, Stored& stored) {
  stored.halves = {floats.shape, std::vector<uint16_t>(floats.values.size())};
  for (size_t i = 0; i < floats.values.size(); ++i) {
    const size_t exponent = chance(random, 0.1) ? 0 : between(random, 8, 16);
    stored.halves.values[i] =
        static_cast<uint16_t>(between(random, 0, 1) << 15 | exponent << 10 | between(random, 0, 1023));
    floats.values[i] = halfToFloat(stored.halves.values[i]);
  }
  return stored.halves.view();
}

/// Every int8 times factors of few bits, so that the products are floats.
inline TensorView asIntegers(Random& random, Owned<float>& floats, Stored& stored) {
  const Shape& shape = floats.shape;
  stored.integers = {shape, std::vector<int8_t>(floats.values.size())};
  stored.scales = {{shape[0], shape[1], shape[2]}, std::vector<float>(shape[0] * shape[1] * shape[2])};
  for (float& scale : stored.scales.values) scale = static_cast<float>(between(random, 1, 1000)) * 0x1p-15f;
  for (size_t i = 0; i < floats.values.size(); ++i) {
    stored.integers.values[i] = static_cast<int8_t>(static_cast<int>(between(random, 0, 255)) - 128);
    floats.values[i] = stored.integers.values[i] * stored.scales.values[i / shape.last()];
  }
  return stored.integers.view();
}

/// Has the case's keys or values stored as another type; its floats become what that stands for.
inline void store(Random& random, DType dtype, Owned<float>& floats, Stored& stored,
                  std::optional<TensorView>& view, std::optional<TensorView>& scales) {
  if (dtype == DType::kFloat16) view = asHalves(random, floats, stored);
  if (dtype != DType::kInt8) return;
  view = asIntegers(random, floats, stored);
  scales = stored.scales.view();
}

inline void storeKeys(Random& random, DType dtype, AttentionCase& attention, Stored& stored) {
  store(random, dtype, attention.k, stored, attention.storedKey, attention.options.keyScales);
}
inline void storeValues(Random& random, DType dtype, AttentionCase& attention, Stored& stored) {
  store(random, dtype, attention.v, stored, attention.storedValue, attention.options.valueScales);
}

}  // namespace attention::test
