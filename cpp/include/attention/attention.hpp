#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "attention/arena.hpp"
#include "attention/mask.hpp"
#include "attention/output.hpp"
#include "attention/status.hpp"
#include "attention/tensor.hpp"

/// Scaled dot-product attention (Vaswani et al. 2017; ONNX Attention 23): softmax(scale·Q·Kᵀ + masks)·V.
///
/// Letters: B batch · H query heads · Hkv key/value heads · Sq query length · Skv key length · D query/key
/// head size · Dv value head size.
namespace attention {

/// Order of the axes of rank-4 inputs.
enum class Layout : int32_t { kBHSD = 0, kBSHD = 1 };

/// Which keys come before a query. kTrue is kUpperLeft that leaves the position to queryOffset.
enum class Causal : int32_t { kNone = 0, kTrue = 1, kUpperLeft = 2, kLowerRight = 3 };

/// What `weights` shows of every (query, key) pair, in the order the steps are taken.
enum class Stage : int32_t {
  kNone = 0,
  kScores = 1,         ///< scale·q·k, for masked pairs too
  kSoftcapped = 2,     ///< after the softcap; equal to the scores while there is none
  kBiased = 3,         ///< masks added: -infinity where masked
  kProbabilities = 4,  ///< after the softmax: 0 where masked
};

struct AttentionOptions {
  Layout layout = Layout::kBHSD;
  size_t numHeads = 0;         ///< of packed inputs [B,S,H·D]; 0: not given
  size_t numKvHeads = 0;       ///< 0: as numHeads
  std::optional<float> scale;  ///< default 1/sqrt(D)
  Causal causal = Causal::kNone;
  std::optional<int32_t> queryOffset;  ///< position of query 0 among the keys, for the whole batch
  std::optional<std::span<const int32_t>> queryOffsets;  ///< or [B], one per batch entry
  std::optional<TensorView> mask;           ///< bool or float32, broadcast from the right to [B,H,Sq,Skv]
  std::optional<TensorView> attentionMask;  ///< [B,Skv], bool or integers: non-zero attends
  std::optional<std::span<const int32_t>> kvLengths;  ///< [B] number of valid keys
  Stage weights = Stage::kNone;
  bool logSumExp = false;
};

/// A checked call: every input as [B,heads,S,·] with strides, and the shapes of what comes out.
struct AttentionPlan {
  size_t batch = 0, heads = 0, kvHeads = 0, queries = 0, keys = 0, headDim = 0, valueDim = 0;
  float scale = 0;
  TensorView query, key, value;  // rank 4, strided
  MaskPlan mask;
  bool headsByRow = false;  // in the output's memory: [B,Sq,H,Dv]
  Stage stage = Stage::kNone;
  bool wantsLogSumExp = false;

  Shape outputShape;     // semantics of the input's rank: see planAttention
  Shape weightsShape;    // [B,H,Sq,Skv]
  Shape logSumExpShape;  // [B,H,Sq]

  /// The output's memory as [B,H,Sq,Dv] with strides.
  TensorView outputHeads(float* output) const;
  size_t kvHeadOf(size_t head) const { return head * kvHeads / heads; }
};

/// Memory of a plan's results. `weights` and `logSumExp` are null where the plan does not want them.
struct AttentionMemory {
  float* output = nullptr;
  float* weights = nullptr;
  float* logSumExp = nullptr;
};

/// Results of a call; `weights` and `logSumExp` stay untouched where the options do not ask for them.
struct AttentionOutputs {
  Output output;
  Output weights;
  Output logSumExp;
};

/// Checks a call and works out every shape.
///
/// q, k and v are float32, of one rank, contiguous:
///   [Sq,D] → [Sq,Dv] · [H,Sq,D] → [H,Sq,Dv] · with numHeads [Sq,H·D] → [Sq,H·Dv] and [B,Sq,H·D] →
///   [B,Sq,H·Dv] · rank 4 in `layout` → the same layout.
/// Errors name q, k, v, or options.<field>.
Status planAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                     const AttentionOptions& options, AttentionPlan* plan);

/// Finds room for a plan's results, the output being of `outputShape`, before any work. `inputs` may not
/// overlap it.
Status resolveResults(const AttentionPlan& plan, const Shape& outputShape, std::span<const TensorView> inputs,
                      AttentionOutputs& outputs, Arena& arena, AttentionMemory* memory);

/// Runs a plan with the fused kernel: blocks of keys, online softmax (Milakov & Gimelshein 2018; Dao et al.
/// 2022), memory that does not grow with Sq·Skv. Rows that may attend to nothing give zeros and a logSumExp
/// of -infinity. Fails only with kOutOfMemory, before any work.
Status runAttention(const AttentionPlan& plan, const AttentionMemory& memory, Arena& arena);

/// softmax(scale·Q·Kᵀ + masks)·V: plan, room for the results, run.
Status scaledDotProductAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                                 const AttentionOptions& options, AttentionOutputs& outputs, Arena& arena);

}  // namespace attention
