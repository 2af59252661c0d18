#pragma once

#include <cstddef>
#include <cstdint>

namespace attention::wire {

/// A tensor as JavaScript writes it, in 32-bit words. web/src/engine.ts mirrors this layout word by word.
struct Tensor {
  uint32_t state;  ///< State
  uint32_t data;   ///< address
  uint32_t dtype;
  uint32_t rank;
  uint32_t dims[8];
};

enum State : uint32_t {
  kAbsent = 0,
  kPresent = 1,   ///< memory and shape are given
  kOfLength = 2,  ///< an output for an array of dims[0] values, copied out by JavaScript
};

inline constexpr size_t kInputs = 14;
inline constexpr size_t kOutputs = 3;
inline constexpr size_t kIntegers = 8;

/// Arguments and results of one call. JavaScript fills it, makes one Embind call, and reads the outputs: no
/// object is converted field by field.
struct Call {
  double scale;  ///< NaN: the default
  Tensor inputs[kInputs];
  Tensor outputs[kOutputs];
  int32_t integers[kIntegers];
};

static_assert(sizeof(Tensor) == 12 * 4);
static_assert(offsetof(Call, inputs) == 8);
static_assert(offsetof(Call, outputs) == 8 + kInputs * 48);
static_assert(offsetof(Call, integers) == 8 + (kInputs + kOutputs) * 48);

}  // namespace attention::wire
