#include "query_block.hpp"
#include "run.hpp"

namespace attention {

namespace {

using Block = QueryBlock<simd::DefaultArch>;

/// One value for each pair of the block's rows; pairs that a stage leaves out are masked.
void storeWeights(const AttentionPlan& plan, Block& block, size_t batch, size_t head, Range rows,
                  float* weights) {
  const size_t keys = plan.sequences().keys;
  float* first = weights + (batch * plan.heads + head) * plan.sequences().queries * keys;
  const float masked = plan.stage == Stage::kBiased ? kernels::kNegativeInfinity : 0.0f;
  std::fill_n(first + rows.begin * keys, rows.size() * keys, masked);
  block.show(plan.stage, {0, keys}, [&](Range tile, Range part, const float* scores) {
    for (size_t r = 0; r < tile.size(); ++r) {
      std::copy_n(scores + r * ScoreTile<simd::DefaultArch>::kKeys, part.size(),
                  first + (tile.begin + r) * keys + part.begin);
    }
  });
}

}  // namespace

Status runAttention(const AttentionPlan& plan, const AttentionMemory& memory, Arena& arena) {
  if (plan.isEmpty()) return {};
  Block block(plan);
  if (!block.allocate(arena)) return outOfMemory("");
  for (size_t b = 0; b < plan.batch; ++b) {
    const size_t queries = plan.sequences().queriesOf(b);
    for (size_t h = 0; h < plan.heads; ++h) {
      for (Range rows = block.rowsFrom(0, queries); rows.size() != 0;
           rows = block.rowsFrom(rows.end, queries)) {
        block.begin(b, h, rows);
        block.attend();
        block.store(memory);
        if (plan.stage != Stage::kNone) storeWeights(plan, block, b, h, rows, memory.weights);
      }
    }
  }
  return {};
}

Status resolveResults(const AttentionPlan& plan, const Shape& outputShape, std::span<const TensorView> inputs,
                      AttentionOutputs& outputs, Arena& arena, AttentionMemory* memory) {
  ATTENTION_RETURN_IF_ERROR(outputs.output.resolve("options.out", outputShape, arena, inputs));
  memory->output = outputs.output.floats();
  if (plan.stage != Stage::kNone) {
    ATTENTION_RETURN_IF_ERROR(outputs.weights.resolve("options.weights", plan.weightsShape, arena));
    memory->weights = outputs.weights.floats();
  }
  if (plan.wantsLogSumExp) {
    ATTENTION_RETURN_IF_ERROR(outputs.logSumExp.resolve("options.logSumExp", plan.logSumExpShape, arena));
    memory->logSumExp = outputs.logSumExp.floats();
  }
  return {};
}

Status runInto(const AttentionPlan& plan, std::span<const TensorView> inputs, AttentionOutputs& outputs,
               Arena& arena) {
  AttentionMemory memory;
  ATTENTION_RETURN_IF_ERROR(resolveResults(plan, plan.outputShape, inputs, outputs, arena, &memory));
  return runAttention(plan, memory, arena);
}

Status scaledDotProductAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                                 const AttentionOptions& options, AttentionOutputs& outputs, Arena& arena) {
  AttentionPlan plan;
  ATTENTION_RETURN_IF_ERROR(planAttention(query, key, value, options, &plan));
  return runInto(plan, inputsOf({query, key, value}, options), outputs, arena);
}

}  // namespace attention
