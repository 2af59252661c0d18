#pragma once

#include "attention/layers.hpp"
#include "wire.hpp"

/// What a call on the wire says, in the words of the core.
namespace attention::wire {

/// An engine is one instance of the module, so its state is static.
extern Call call;
extern Arena arena;

/// JavaScript knows memory by numbers.
inline void* at(uint32_t address) {
  return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

/// Attention's options have fixed places; a call's own operands and integers follow.
enum Slot : size_t {
  kMask,
  kAttentionMask,
  kQueryOffsets,
  kKvLengths,
  kBlockMap,
  kAlibiSlopes,
  kSinks,
  kKeyScales,
  kValueScales,
  kOperands
};
enum Integer : size_t {
  kLayout,
  kNumHeads,
  kNumKvHeads,
  kCausal,
  kStage,
  kLogSumExp,
  kHasOffset,
  kOffset,
  kWindowLeft,
  kWindowRight,
  kAlibi,
  kOwn
};
enum Number : size_t { kScale, kSoftcap };  // the scale is NaN where it is not given

TensorView operand(size_t index);
std::optional<TensorView> optionalOperand(size_t index);
/// Of the inputs, wherever they lie.
std::optional<std::span<const int32_t>> integerList(size_t slot);
/// Of the integers that a call has of its own.
int32_t own(size_t index);
AttentionOptions attentionOptions();

/// Before every call of the core that computes. Everything is computed in float32: float16 inputs are
/// replaced by widened copies, but for the operands [first, end), which the core reads as they are. A later
/// part of a call finds them so, and the arena where the first part had it.
Status enter(size_t first = 0, size_t end = 0);

/// Where results go, and telling JavaScript where one is.
Output output(size_t slot = 0);
AttentionOutputs attentionOutputs();
void show(const Output& from, Tensor& to);

/// Remembers a refusal, for latestArgument(), and gives its code.
int refuse(const Status& status);
const char* latestArgument();

}  // namespace attention::wire
