#include "call.hpp"

#include <algorithm>
#include <cmath>

#include "../src/runtime/parts.hpp"

namespace attention::wire {

Call call;
Arena arena;

namespace {

Status last;
Arena::Mark start;  // of the core's own memory in the call under way

TensorView view(const Tensor& tensor) {
  Shape shape;
  for (uint32_t axis = 0; axis < tensor.rank; ++axis) shape.push(tensor.dims[axis]);
  return TensorView::contiguous(at(tensor.data), static_cast<DType>(tensor.dtype), shape);
}

TensorView input(size_t slot) { return view(call.inputs[slot]); }

std::optional<TensorView> optionalInput(size_t slot) {
  if (call.inputs[slot].state == kAbsent) return std::nullopt;
  return input(slot);
}

}  // namespace

TensorView operand(size_t index) { return input(kOperands + index); }

std::optional<TensorView> optionalOperand(size_t index) { return optionalInput(kOperands + index); }

std::optional<std::span<const int32_t>> integerList(size_t slot) {
  if (call.inputs[slot].state == kAbsent) return std::nullopt;
  return std::span(static_cast<const int32_t*>(input(slot).data), call.inputs[slot].dims[0]);
}

int32_t own(size_t index) { return call.integers[kOwn + index]; }

Output output(size_t slot) {
  const Tensor& given = call.outputs[slot];
  if (given.state == kKept) return Output::kept();
  if (given.state == kPresent)
    return parts.isUnderWay() ? Output::like(view(given)) : Output::into(view(given));
  if (given.state == kOfLength) return Output::ofLength(given.dims[0]);
  return {};
}

AttentionOutputs attentionOutputs() { return {output(0), output(1), output(2)}; }

void show(const Output& from, Tensor& to) {
  // A part of a call computes beside the memory that was given.
  if (from.isLike()) {
    std::copy_n(from.floats(), from.view().count(), view(to).floats());
  }
  to.data = reinterpret_cast<uint32_t>(from.view().data);
  to.rank = static_cast<uint32_t>(from.view().rank());
  for (int axis = 0; axis < from.view().rank(); ++axis) to.dims[axis] = from.view().shape[axis];
}

int refuse(const Status& status) {
  last = status;
  return static_cast<int>(status.code());
}

Status enter(size_t first, size_t end) {
  if (parts.isUnderWay() && !parts.isFirst()) {
    arena.rewind(start);
    return {};
  }
  for (size_t slot = 0; slot < kInputs; ++slot) {
    Tensor& tensor = call.inputs[slot];
    if (slot >= kOperands + first && slot < kOperands + end) continue;
    if (tensor.state == kAbsent || static_cast<DType>(tensor.dtype) != DType::kFloat16) continue;
    Output wide;
    ATTENTION_RETURN_IF_ERROR(toFloat32(view(tensor), wide, arena));
    tensor.data = reinterpret_cast<uint32_t>(wide.view().data);
    tensor.dtype = static_cast<uint32_t>(DType::kFloat32);
  }
  start = arena.mark();
  return {};
}

AttentionOptions attentionOptions() {
  AttentionOptions options;
  options.layout = static_cast<Layout>(call.integers[kLayout]);
  options.numHeads = static_cast<size_t>(call.integers[kNumHeads]);
  options.numKvHeads = static_cast<size_t>(call.integers[kNumKvHeads]);
  if (!std::isnan(call.numbers[kScale])) options.scale = static_cast<float>(call.numbers[kScale]);
  options.causal = static_cast<Causal>(call.integers[kCausal]);
  if (call.integers[kHasOffset] != 0) options.queryOffset = call.integers[kOffset];
  options.queryOffsets = integerList(kQueryOffsets);
  options.window = {call.integers[kWindowLeft], call.integers[kWindowRight]};
  options.mask = optionalInput(kMask);
  options.blockMap = integerList(kBlockMap);
  options.attentionMask = optionalInput(kAttentionMask);
  options.kvLengths = integerList(kKvLengths);
  options.softcap = static_cast<float>(call.numbers[kSoftcap]);
  options.alibi = call.integers[kAlibi] != 0;
  options.alibiSlopes = optionalInput(kAlibiSlopes);
  options.sinks = optionalInput(kSinks);
  options.keyScales = optionalInput(kKeyScales);
  options.valueScales = optionalInput(kValueScales);
  options.weights = static_cast<Stage>(call.integers[kStage]);
  options.logSumExp = call.integers[kLogSumExp] != 0;
  return options;
}

const char* latestArgument() { return last.argument(); }

}  // namespace attention::wire
