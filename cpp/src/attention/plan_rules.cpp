#include "plan_rules.hpp"

#include <algorithm>
#include <cmath>

namespace attention {

namespace {

Status planPosition(const AttentionOptions& options, AttentionPlan* plan) {
  MaskPlan& mask = plan->mask;
  mask.causal = options.causal != Causal::kNone;
  mask.lowerRight = options.causal == Causal::kLowerRight;
  const bool given = options.queryOffset || options.queryOffsets;
  if (given && (options.causal == Causal::kUpperLeft || options.causal == Causal::kLowerRight)) {
    return invalidArgument(
        "options.queryOffset",
        Message() << "got it beside causal "
                  << (options.causal == Causal::kUpperLeft ? "'upper-left'" : "'lower-right'")
                  << ", wanted causal: true, or one of the two");
  }
  if (options.queryOffsets && options.queryOffsets->size() != plan->batch) {
    return shapeMismatch("options.queryOffset",
                         Message() << "got " << static_cast<int64_t>(options.queryOffsets->size())
                                   << " values, wanted one number or one per batch entry: "
                                   << static_cast<int64_t>(plan->batch));
  }
  if (options.queryOffsets) mask.offsets = *options.queryOffsets;
  mask.sharedOffset = options.queryOffset.value_or(0);
  if (options.window.left < -1 || options.window.right < -1) {
    return invalidArgument("options.window", Message() << "got [" << options.window.left << ","
                                                       << options.window.right << "], wanted -1 or more");
  }
  mask.window = options.window;
  return {};
}

Status planLengths(const AttentionOptions& options, AttentionPlan* plan) {
  if (!options.kvLengths) return {};
  const std::span<const int32_t> lengths = *options.kvLengths;
  if (lengths.size() != plan->batch) {
    return shapeMismatch("options.kvLengths", Message() << "got " << static_cast<int64_t>(lengths.size())
                                                        << " values, wanted one per batch entry: "
                                                        << static_cast<int64_t>(plan->batch));
  }
  for (size_t b = 0; b < lengths.size(); ++b) {
    const size_t keys = plan->sequences().keysOf(b);
    if (lengths[b] < 0 || static_cast<size_t>(lengths[b]) > keys) {
      return invalidArgument("options.kvLengths", Message() << "got " << lengths[b] << " at index "
                                                            << static_cast<int64_t>(b) << ", wanted 0.."
                                                            << static_cast<int64_t>(keys));
    }
  }
  plan->mask.kvLengths = lengths;
  return {};
}

Status planKeyMask(const AttentionOptions& options, AttentionPlan* plan) {
  if (!options.attentionMask) return {};
  const TensorView& mask = *options.attentionMask;
  if (mask.dtype == DType::kFloat32 || mask.dtype == DType::kFloat16) {
    return unsupportedDtype("options.attentionMask", mask.dtype, "bool or integers");
  }
  const Shape want{plan->batch, plan->sequences().keys};
  if (mask.shape != want) {
    return shapeMismatch("options.attentionMask", Message() << "got shape " << mask.shape.dims()
                                                            << ", wanted [B,Skv] = " << want.dims());
  }
  plan->mask.keyMask = mask;
  return {};
}

/// Broadcasts from the right: sizes of 1 and missing axes get stride 0; a short last axis is padded with
/// "masked".
Status planDenseMask(const AttentionOptions& options, AttentionPlan* plan) {
  if (!options.mask) return {};
  const TensorView& mask = *options.mask;
  if (mask.dtype != DType::kFloat32 && mask.dtype != DType::kBool) {
    return unsupportedDtype("options.mask", mask.dtype,
                            "bool or float (a 0/1 mask of integers is options.attentionMask)");
  }
  const Shape full{plan->batch, plan->heads, plan->sequences().queries, plan->sequences().keys};
  const auto refuse = [&] {
    return shapeMismatch(
        "options.mask", Message() << "got shape " << mask.shape.dims()
                                  << ", wanted rank 4 at most, broadcasting from the right to [B,H,Sq,Skv] = "
                                  << full.dims());
  };
  if (mask.rank() > 4) return refuse();
  const TensorView own = TensorView::contiguous(mask.data, mask.dtype, mask.shape);
  TensorView view{mask.data, mask.dtype, full, {}};
  size_t denseKeys = plan->sequences().keys;
  for (int axis = 3, from = mask.rank() - 1; from >= 0; --axis, --from) {
    const size_t got = mask.shape[from], want = full[axis];
    const bool isShortLast = axis == 3 && got < want;
    if (got != want && got != 1 && !isShortLast) return refuse();
    if (axis == 3 && got != 1) denseKeys = got;
    view.strides[static_cast<size_t>(axis)] = got == 1 ? 0 : own.strides[static_cast<size_t>(from)];
  }
  plan->mask.dense = view;
  plan->mask.denseKeys = denseKeys;
  return {};
}

Status planBlockMap(const AttentionOptions& options, AttentionPlan* plan) {
  if (!options.blockMap) return {};
  const std::optional<BlockMap> map = BlockMap::read(*options.blockMap);
  const auto fits = [](size_t got, size_t all) { return got == all || got == 1; };
  bool covers = map && fits(map->batches(), plan->batch) && fits(map->heads(), plan->heads);
  // Entries that share a plane are alike, unless they are sequences of various lengths.
  const bool isPacked = !plan->sequences().queryStarts.empty();
  const size_t batches = covers ? std::min(isPacked ? plan->batch : map->batches(), plan->batch) : 0;
  const size_t heads = covers ? std::min(map->heads(), plan->heads) : 0;
  for (size_t b = 0; covers && b < batches; ++b) {
    for (size_t h = 0; covers && h < heads; ++h) {
      covers = map->covers(b, h, plan->sequences().queriesOf(b), plan->sequences().keysOf(b));
    }
  }
  if (!covers) return invalidArgument("options.mask", Message() << "got a block map of another call");
  plan->mask.blocks = map;
  return {};
}

/// A value of each head.
Status planPerHead(const char* argument, const std::optional<TensorView>& given, size_t heads,
                   std::span<const float>* values) {
  if (!given) return {};
  if (given->dtype != DType::kFloat32) return unsupportedDtype(argument, given->dtype, "float32 or float16");
  if (given->shape != Shape{heads}) {
    return shapeMismatch(argument, Message() << "got shape " << given->shape.dims() << ", wanted [H] = ["
                                             << static_cast<int64_t>(heads) << "]");
  }
  *values = {given->floats(), heads};
  return {};
}

Status planScores(const AttentionOptions& options, AttentionPlan* plan) {
  if (!(options.softcap >= 0) || std::isinf(options.softcap)) {
    return invalidArgument("options.softcap", Message()
                                                  << "got a value below 0 or not finite, wanted 0 or more");
  }
  plan->softcap = options.softcap;
  plan->alibi = options.alibi || options.alibiSlopes;
  ATTENTION_RETURN_IF_ERROR(
      planPerHead("options.alibi", options.alibiSlopes, plan->heads, &plan->alibiSlopes));
  return planPerHead("options.sinks", options.sinks, plan->heads, &plan->sinks);
}

}  // namespace

float alibiSlope(size_t head, size_t heads) {
  size_t power = 1;
  while (power * 2 <= heads) power *= 2;
  const bool isExtra = head >= power;
  const size_t count = isExtra ? 2 * power : power;
  const size_t place = isExtra ? 2 * (head - power) : head;
  return static_cast<float>(std::exp2(-8.0 * static_cast<double>(place + 1) / static_cast<double>(count)));
}

Status planRules(const AttentionOptions& options, AttentionPlan* plan) {
  ATTENTION_RETURN_IF_ERROR(planPosition(options, plan));
  ATTENTION_RETURN_IF_ERROR(planLengths(options, plan));
  ATTENTION_RETURN_IF_ERROR(planKeyMask(options, plan));
  ATTENTION_RETURN_IF_ERROR(planDenseMask(options, plan));
  ATTENTION_RETURN_IF_ERROR(planBlockMap(options, plan));
  return planScores(options, plan);
}

}  // namespace attention
