#include <algorithm>
#include <new>

#include "../runtime/threads.hpp"
#include "query_block.hpp"
#include "run.hpp"

namespace attention {

namespace {

using Block = QueryBlock<simd::DefaultArch>;

/// One value for each pair of the block's rows; pairs that a stage leaves out are masked, or their keys are
/// gone.
void storeWeights(const AttentionPlan& plan, Block& block, float* weights) {
  const QueryRows& rows = block.rows();
  const size_t keys = plan.sequences().keys;
  const auto weightsOf = [&](size_t row) {
    const size_t head = rows.batch * plan.heads + rows.headOf(row);
    return weights + (head * plan.sequences().queries + rows.queryOf(row)) * keys;
  };
  const float masked = plan.stage == Stage::kProbabilities ? 0.0f : kernels::kNegativeInfinity;
  for (size_t row = 0; row < rows.size(); ++row) std::fill_n(weightsOf(row), keys, masked);
  block.show(plan.stage, {0, keys}, [&](Range tile, Range part, const float* scores) {
    for (size_t r = 0; r < tile.size(); ++r) {
      std::copy_n(scores + r * ScoreTile<simd::DefaultArch>::kKeys, part.size(),
                  weightsOf(tile.begin + r) + part.begin);
    }
  });
}

/// Products below which other threads would not be awake before the work is done.
constexpr uint64_t kWorthSharing = 1 << 18;

bool isWorthSharing(const AttentionPlan& plan) {
  const uint64_t rows = uint64_t{plan.batch} * plan.heads * plan.sequences().queries;
  return rows * plan.sequences().keys >= kWorthSharing / (plan.headDim + plan.valueDim);
}

}  // namespace

Status runAttention(const AttentionPlan& plan, const AttentionMemory& memory, Arena& arena) {
  if (plan.isEmpty()) return {};
  const RowBlocks blocks = Block::blocksOf(plan);
  // Blocks of rows before each batch entry, and of all. Packed sequences may differ much in length.
  auto* starts = static_cast<size_t*>(arena.allocate((plan.batch + 1) * sizeof(size_t)));
  if (starts == nullptr) return outOfMemory("");
  starts[0] = 0;
  for (size_t b = 0; b < plan.batch; ++b) starts[b + 1] = starts[b] + blocks.count(b);
  const size_t items = starts[plan.batch];

  const size_t threads = items > 1 && isWorthSharing(plan) ? threadCount() : 1;
  auto* workers = static_cast<Block*>(arena.allocate(threads * sizeof(Block)));
  if (workers == nullptr) return outOfMemory("");
  for (size_t thread = 0; thread < threads; ++thread) {
    if (!(new (workers + thread) Block(plan, blocks))->allocate(arena)) return outOfMemory("");
  }
  const auto run = [&](size_t item, size_t thread) {
    const size_t* next = std::upper_bound(starts, starts + plan.batch + 1, item);
    const auto batch = static_cast<size_t>(next - starts) - 1;
    Block& block = workers[thread];
    block.begin(blocks.at(batch, item - starts[batch]));
    block.attend();
    block.store(memory);
    if (plan.stage != Stage::kNone) storeWeights(plan, block, memory.weights);
  };
  if (threads == 1) {
    inOrder(items, [&](size_t item) { run(item, 0); });
  } else {
    // Last blocks first: under a causal mask they take longest.
    inParallel(items, [&](size_t item, size_t thread) { run(items - 1 - item, thread); });
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
