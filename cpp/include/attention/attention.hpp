#pragma once

#include <algorithm>
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

/// Order of the axes of rank-4 inputs; kTHD: rank 3, sequences packed end to end.
enum class Layout : int32_t { kBHSD = 0, kBSHD = 1, kTHD = 2 };

/// Which keys come before a query. kTrue is kUpperLeft that leaves the position to queryOffset.
enum class Causal : int32_t { kNone = 0, kTrue = 1, kUpperLeft = 2, kLowerRight = 3 };

/// What `weights` shows of every (query, key) pair, in the order the steps are taken.
enum class Stage : int32_t {
  kNone = 0,
  kScores = 1,         ///< scale·q·k, for masked pairs too
  kSoftcapped = 2,     ///< after the softcap
  kBiased = 3,         ///< ALiBi and masks added: -infinity where masked
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
  Window window;
  std::optional<TensorView> mask;  ///< bool or float32, broadcast from the right to [B,H,Sq,Skv]
  std::optional<std::span<const int32_t>> blockMap;   ///< a compiled mask rule: BlockMap
  std::optional<TensorView> attentionMask;            ///< [B,Skv], bool or integers: non-zero attends
  std::optional<std::span<const int32_t>> kvLengths;  ///< [B] number of valid keys
  float softcap = 0;                                  ///< c of c·tanh(score/c) (Gemma 2); 0: none
  bool alibi = false;                                 ///< adds -slope·|p - j| with the slopes of alibiSlope()
  std::optional<TensorView> alibiSlopes;              ///< or with these [H]
  std::optional<TensorView> sinks;                   ///< [H] logits that join each head's softmax denominator
  std::optional<TensorView> keyScales, valueScales;  ///< [B,Hkv,Skv] factors of int8 keys and values
  Stage weights = Stage::kNone;
  bool logSumExp = false;
};

/// Slope of a head (Press et al. 2022): 2^(-8(h+1)/H) where H is a power of two; else those of the next lower
/// power, and then every other one of the next higher.
float alibiSlope(size_t head, size_t heads);

/// Where a cache keeps keys and values: pages of `rows` positions of all heads of one batch entry, as
/// [Hkv,rows,D], [Hkv,rows,Dv] and, of int8, their factors [Hkv,rows] twice.
struct KeyPages {
  const std::byte* const* pages = nullptr;  ///< [rows of pages][B]; null where nothing is held
  size_t rows = 0;                          ///< 0: keys and values are plain tensors
  size_t valuesAt = 0, keyScalesAt = 0, valueScalesAt = 0;  ///< in bytes from a page's start
  size_t firstGone = 0, gone = 0;  ///< so many rows of pages, from this one on, have no place in the table

  /// Where in the table a row of pages is.
  size_t placeOf(size_t row) const { return row < firstGone + gone ? std::min(row, firstGone) : row - gone; }
  const std::byte* page(size_t position, size_t entry, size_t batch) const {
    return pages[placeOf(position / rows) * batch + entry];
  }
  /// The first position behind the page of `position`.
  size_t endOfPage(size_t position) const { return (position / rows + 1) * rows; }
};

/// A checked call: every input as [B,heads,S,·] with strides, and the shapes of what comes out.
struct AttentionPlan {
  size_t batch = 0, heads = 0, kvHeads = 0, headDim = 0, valueDim = 0;
  float scale = 0, softcap = 0;
  TensorView query, key, value;  // rank 4, strided; of pages only type and strides count
  KeyPages pages;
  MaskPlan mask;
  bool alibi = false;
  std::span<const float> alibiSlopes, sinks;         // [H] or empty
  std::optional<TensorView> keyScales, valueScales;  // of int8
  bool headsByRow = false;                           // in the output's memory: [B,Sq,H,Dv]
  Stage stage = Stage::kNone;
  bool wantsLogSumExp = false;

  Shape outputShape;     // semantics of the input's rank: see planAttention
  Shape weightsShape;    // [B,H,Sq,Skv]
  Shape logSumExpShape;  // [B,H,Sq], or [H,Tq] of packed sequences

  /// The output's memory as [B,H,Sq,Dv] with strides.
  TensorView outputHeads(float* output) const;
  size_t kvHeadOf(size_t head) const { return head * kvHeads / heads; }
  /// What a head loses per step of distance; 0 without ALiBi.
  float slopeOf(size_t head) const {
    if (!alibi) return 0.0f;
    return alibiSlopes.empty() ? alibiSlope(head, heads) : alibiSlopes[head];
  }

  /// Without queries, or without values and anything beside them, there is nothing to do, however large the
  /// other sizes are.
  bool isEmpty() const {
    const bool isOutputAll = stage == Stage::kNone && !wantsLogSumExp;
    return checkedProduct(logSumExpShape.dims()) == 0 || (valueDim == 0 && isOutputAll);
  }

  const Sequences& sequences() const { return mask.sequences; }
  const float* queryRow(size_t b, size_t head, size_t i) const {
    return rowOf(query, b, head, sequences().firstQuery(b) + i);
  }
  /// Index of a query in logSumExp's memory, [B,H,Sq], or [H,Tq] of packed sequences.
  size_t logSumExpIndex(size_t b, size_t head, size_t i) const {
    if (sequences().queryStarts.empty()) return (b * heads + head) * sequences().queries + i;
    return head * logSumExpShape[1] + sequences().firstQuery(b) + i;
  }
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
/// q is float32; k and v are float32, float16, or int8 with scales; of one rank, contiguous:
///   [Sq,D] → [Sq,Dv] · [H,Sq,D] → [H,Sq,Dv] · with numHeads [Sq,H·D] → [Sq,H·Dv] and [B,Sq,H·D] →
///   [B,Sq,H·Dv] · rank 4 in `layout` → the same layout.
/// Errors name q, k, v, or options.<field>.
Status planAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                     const AttentionOptions& options, AttentionPlan* plan);

/// The same for B sequences packed end to end: q [Tq,H,D], k [Tkv,Hkv,D], v [Tkv,Hkv,Dv] → [Tq,H,Dv], with
/// prefix sums [B+1]. Positions, rules and lengths count within a sequence; dense masks broadcast to
/// [B,H,longest Sq,longest Skv]. options.weights must be none.
Status planVariableLength(const TensorView& query, const TensorView& key, const TensorView& value,
                          std::span<const int32_t> queryStarts, std::span<const int32_t> keyStarts,
                          const AttentionOptions& options, AttentionPlan* plan);

/// New keys or values of a cache, in the shapes of planAttention's k, as [B,Hkv,S,size]. packedHeads: of
/// packed inputs, else 0.
Status planCacheRows(const char* name, const TensorView& x, Layout layout, size_t packedHeads,
                     TensorView* heads);

/// What attention knows of a cache.
struct CachedKeys {
  size_t batch = 1, kvHeads = 1, headDim = 1, valueDim = 1;
  size_t length = 0;  ///< positions, those of the call's own keys included
  DType dtype = DType::kFloat32;
  KeyPages pages;
  Stream stream;
};

/// planAttention where keys and values come from a cache: columns are absolute positions, 0..length-1.
Status planCached(const TensorView& query, const CachedKeys& cached, const AttentionOptions& options,
                  AttentionPlan* plan);

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

/// The same for packed sequences: planVariableLength.
Status variableLengthAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                               std::span<const int32_t> queryStarts, std::span<const int32_t> keyStarts,
                               const AttentionOptions& options, AttentionOutputs& outputs, Arena& arena);

enum class Pool : int32_t { kMax = 0, kMean = 1 };

/// Which part of the probabilities, at which size.
struct AttentionMapOptions {
  std::optional<Range> rows, columns;      ///< default all
  size_t mapRows = 256, mapColumns = 256;  ///< cut to the range
  Pool pool = Pool::kMax;                  ///< of a cell; kMean counts masked pairs as 0
  std::optional<TensorView> logSumExp;     ///< [B,H,Sq] of an earlier call: saves the first pass
};

/// The probabilities pooled to [B,H,mapRows,mapColumns] while they are made: memory grows with S and the map.
/// Cell r of R covers rows floor(r·n/R) .. floor((r+1)·n/R) of n.
Status attentionMap(const TensorView& query, const TensorView& key, const AttentionOptions& options,
                    const AttentionMapOptions& map, Output& out, Arena& arena);

enum class FeatureMap : int32_t { kEluPlusOne = 0, kRelu = 1 };

/// φ(q)·(φ(K)ᵀV) / (φ(q)·ΣφK) (Katharopoulos et al. 2020), O(S). Shapes as planAttention; of the options only
/// layout, numHeads, numKvHeads and causal (j <= i) count. A denominator of 0 gives zeros.
Status linearAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                       const AttentionOptions& options, FeatureMap featureMap, Output& out, Arena& arena);

}  // namespace attention
