#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace attention {

namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

double elementOf(const TensorView& mask, size_t index) {
  switch (mask.dtype) {
    case DType::kFloat32:
      return static_cast<const float*>(mask.data)[index];
    case DType::kInt32:
      return static_cast<const int32_t*>(mask.data)[index];
    default:
      return static_cast<const uint8_t*>(mask.data)[index];
  }
}

/// A mask read at (b,h,i,j), broadcast from the right; a short last axis ends in "masked".
double denseBias(const TensorView& mask, const size_t (&at)[4], const Shape& full) {
  const Shape& shape = mask.shape;
  size_t index = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int target = axis + 4 - shape.rank();
    const size_t here = shape[axis] == 1 && full[target] != 1 ? 0 : at[target];
    if (here >= shape[axis]) return kMasked;
    index = index * shape[axis] + here;
  }
  const double value = elementOf(mask, index);
  if (mask.dtype == DType::kBool) return value != 0 ? 0.0 : kMasked;
  return value;
}

struct Pair {
  size_t b, h, i, j;
};

double biasOf(const AttentionPlan& plan, const AttentionOptions& options, const Pair& at) {
  const auto [b, h, i, j] = at;
  const size_t keys = plan.weightsShape[3];
  const int64_t length = options.kvLengths ? (*options.kvLengths)[b] : static_cast<int64_t>(keys);
  if (static_cast<int64_t>(j) >= length) return kMasked;
  int64_t offset = options.queryOffset.value_or(0);
  if (options.queryOffsets) offset = (*options.queryOffsets)[b];
  if (options.causal == Causal::kLowerRight) offset = length - static_cast<int64_t>(plan.weightsShape[2]);
  const int64_t behind = static_cast<int64_t>(i) + offset - static_cast<int64_t>(j);
  if (options.causal != Causal::kNone && behind < 0) return kMasked;
  if (options.window.left != -1 && behind > options.window.left) return kMasked;
  if (options.window.right != -1 && -behind > options.window.right) return kMasked;
  if (options.attentionMask && elementOf(*options.attentionMask, b * keys + j) == 0) return kMasked;
  auto slope = static_cast<double>(options.alibi ? alibiSlope(h, plan.heads) : 0.0f);
  if (options.alibiSlopes) slope = elementOf(*options.alibiSlopes, h);
  const double distance = -slope * std::abs(static_cast<double>(behind));
  return distance + (options.mask ? denseBias(*options.mask, {b, h, i, j}, plan.weightsShape) : 0.0);
}

size_t kvHeadOf(const AttentionPlan& plan, size_t head) { return head / (plan.heads / plan.kvHeads); }

double scoreOf(const AttentionPlan& plan, const AttentionOptions& options, const Pair& at) {
  const float* q = rowOf(plan.query, at.b, at.h, at.i);
  const float* k = rowOf(plan.key, at.b, kvHeadOf(plan, at.h), at.j);
  double dot = 0;
  for (size_t d = 0; d < plan.headDim; ++d) dot += static_cast<double>(q[d]) * static_cast<double>(k[d]);
  if (options.scale) return dot * static_cast<double>(*options.scale);
  return dot / std::sqrt(static_cast<double>(plan.headDim));
}

void attendRow(const AttentionPlan& plan, const AttentionOptions& options, size_t b, size_t h, size_t i,
               ReferenceResult& result) {
  const size_t keys = plan.weightsShape[3];
  const size_t row = (b * plan.heads + h) * plan.weightsShape[2] + i;
  const auto cap = static_cast<double>(options.softcap);
  const double sink = options.sinks ? elementOf(*options.sinks, h) : kMasked;
  std::vector<double> biased(keys);
  std::vector<bool> attends(keys);
  double highest = sink;
  for (size_t j = 0; j < keys; ++j) {
    const double score = scoreOf(plan, options, {b, h, i, j});
    const double capped = cap != 0 ? cap * std::tanh(score / cap) : score;
    const double bias = biasOf(plan, options, {b, h, i, j});
    attends[j] = bias != kMasked;
    biased[j] = attends[j] ? capped + bias : kMasked;
    highest = std::max(highest, biased[j]);
    double& shown = result.weights[row * keys + j];
    shown = plan.stage == Stage::kBiased ? biased[j] : score;
    if (plan.stage == Stage::kSoftcapped) shown = capped;
  }
  double denominator = sink != kMasked ? std::exp(sink - highest) : 0.0;
  for (size_t j = 0; j < keys; ++j) denominator += attends[j] ? std::exp(biased[j] - highest) : 0.0;
  for (size_t j = 0; j < keys; ++j) {
    const double probability = attends[j] ? std::exp(biased[j] - highest) / denominator : 0.0;
    if (plan.stage == Stage::kProbabilities) result.weights[row * keys + j] = probability;
    if (!attends[j]) continue;
    const float* v = rowOf(plan.value, b, kvHeadOf(plan, h), j);
    for (size_t d = 0; d < plan.valueDim; ++d) {
      result.output[row * plan.valueDim + d] += probability * static_cast<double>(v[d]);
    }
  }
  result.logSumExp[row] = denominator == 0 ? kMasked : highest + std::log(denominator);
}

}  // namespace

ReferenceResult referenceAttention(const AttentionPlan& plan, const AttentionOptions& options) {
  const size_t queries = plan.weightsShape[2];
  const size_t rows = plan.batch * plan.heads * queries;
  ReferenceResult result{std::vector<double>(rows * plan.valueDim),
                         std::vector<double>(rows * plan.weightsShape[3]), std::vector<double>(rows)};
  for (size_t b = 0; b < plan.batch; ++b) {
    for (size_t h = 0; h < plan.heads; ++h) {
      for (size_t i = 0; i < queries; ++i) attendRow(plan, options, b, h, i, result);
    }
  }
  return result;
}

}  // namespace attention
