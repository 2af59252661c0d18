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
  kKept = 3,      ///< an output in memory of its own, which JavaScript releases
};

inline constexpr size_t kNumbers = 8;
inline constexpr size_t kInputs = 20;
inline constexpr size_t kOutputs = 3;
inline constexpr size_t kIntegers = 20;

/// Arguments and results of one call. JavaScript fills it, makes one Embind call, and reads the outputs: no
/// object is converted field by field.
struct Call {
  double numbers[kNumbers];
  Tensor inputs[kInputs];
  Tensor outputs[kOutputs];
  int32_t integers[kIntegers];
};

static_assert(sizeof(Tensor) == 12 * 4);
static_assert(offsetof(Call, inputs) == kNumbers * 8);
static_assert(offsetof(Call, outputs) == kNumbers * 8 + kInputs * 48);
static_assert(offsetof(Call, integers) == kNumbers * 8 + (kInputs + kOutputs) * 48);

}  // namespace attention::wire
