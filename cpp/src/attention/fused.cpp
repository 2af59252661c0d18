#include "query_block.hpp"

namespace attention {

Status runAttention(const AttentionPlan& plan, const AttentionMemory& memory, Arena& arena) {
  QueryBlock<simd::DefaultArch> block(plan);
  if (!block.allocate(arena)) return outOfMemory("");
  for (size_t b = 0; b < plan.batch; ++b) {
    for (size_t h = 0; h < plan.heads; ++h) {
      for (size_t row = 0; row < plan.queries; row += block.rows()) {
        block.run(b, h, {row, std::min(row + block.rows(), plan.queries)}, memory);
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

Status scaledDotProductAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                                 const AttentionOptions& options, AttentionOutputs& outputs, Arena& arena) {
  AttentionPlan plan;
  ATTENTION_RETURN_IF_ERROR(planAttention(query, key, value, options, &plan));
  const TensorView inputs[] = {query, key, value, options.mask.value_or(query),
                               options.attentionMask.value_or(query)};
  AttentionMemory memory;
  ATTENTION_RETURN_IF_ERROR(resolveResults(plan, plan.outputShape, inputs, outputs, arena, &memory));
  return runAttention(plan, memory, arena);
}

}  // namespace attention
