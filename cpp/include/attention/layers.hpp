#pragma once

#include <optional>
#include <span>

#include "attention/attention.hpp"
#include "attention/kv_cache.hpp"

/// The layers around attention. Inputs are contiguous float32; leading axes are written "...". Every result
/// goes to an Output; errors name the arguments as written here.
namespace attention {

/// exp(x - max) / sum over one axis (negative counts from the end).
Status softmax(const TensorView& x, int axis, Output& out, Arena& arena);

/// (x - mean) / sqrt(variance + epsilon) · weight + bias over the axes from `axis` to the end; biased
/// variance (Ba et al. 2016; ONNX LayerNormalization). weight and bias have the shape of those axes. The mean
/// is corrected by the mean of the residuals, so that the error does not grow with it:
/// tests/web/norms.test.ts has the bound.
Status layerNorm(const TensorView& x, const std::optional<TensorView>& weight,
                 const std::optional<TensorView>& bias, int axis, float epsilon, Output& out, Arena& arena);

/// x / sqrt(mean(x²) + epsilon) · weight over the axes from `axis` to the end (Zhang & Sennrich 2019; ONNX
/// RMSNormalization), the weight multiplied last.
Status rmsNorm(const TensorView& x, const std::optional<TensorView>& weight, int axis, float epsilon,
               Output& out, Arena& arena);

/// x / max(‖x‖, epsilon) over one axis, ‖x‖ the Euclidean length in double precision: neither overflows nor
/// loses the small (torch.nn.functional.normalize with p = 2).
Status l2Normalize(const TensorView& x, int axis, double epsilon, Output& out, Arena& arena);

/// Element by element: max(x,0) · x·Φ(x) by erf (Hendrycks & Gimpel 2016) · its approximation by tanh ·
/// x/(1 + e^-x) (Elfwing et al. 2017) · tanh · 1/(1 + e^-x) · ln(1 + e^x).
enum class Activation : int32_t {
  kNone = -1,
  kRelu = 0,
  kGelu = 1,
  kGeluTanh = 2,
  kSilu = 3,
  kTanh = 4,
  kSigmoid = 5,
  kSoftplus = 6
};
Status activation(Activation kind, const TensorView& x, Output& out, Arena& arena);

/// x + y or x · y, broadcast from the right. The result may go onto either.
enum class Binary : int32_t { kAdd = 0, kMultiply = 1 };
Status binary(Binary kind, const TensorView& x, const TensorView& y, Output& out, Arena& arena);

/// The tensors one after the other along one axis; their other sizes are the same.
Status concat(std::span<const TensorView> tensors, int axis, Output& out, Arena& arena);

/// What lies in `range` of one axis, which has it.
Status slice(const TensorView& x, int axis, Range range, Output& out, Arena& arena);

/// Weights [outputs,inputs] as linear layers read them, to be made once for many calls. kPanels8 rounds: each
/// row has a factor, max|w|/127, and |error| <= max|w|/254.
struct PanelSizes {
  size_t outputs = 0, inputs = 0;
  DType dtype = DType::kPanels;

  /// What they take; nothing where that is more than memory has.
  std::optional<size_t> floats() const;
};

/// Rows `first` and on of such weights, [count,inputs], into `out`, which is of all of them: large weights
/// are packed a part at a time. `first` is a multiple of kPackedRows.
Status packPanels(const TensorView& rows, const PanelSizes& sizes, size_t first, Output& out, Arena& arena);
inline constexpr size_t kPackedRows = 64;

/// x [...,K] · weightᵀ [N,K] + bias [N] → [...,N]. Here and below weights are float32 or panels.
Status linear(const TensorView& x, const TensorView& weight, const std::optional<TensorView>& bias,
              Output& out, Arena& arena);

/// Rows of table [V,E] (float32, float16 or panels) by ids [...] (int32) → [...,E]. An id outside 0..V-1 is
/// refused.
Status embedding(const TensorView& ids, const TensorView& table, Output& out, Arena& arena);

/// up [F,E], down [E,F], gate [F,E]; biases [F], [E], [F].
struct FeedForwardWeights {
  TensorView up, down;
  std::optional<TensorView> gate, upBias, downBias, gateBias;
};

/// down(act(up x)), or with a gate down(act(gate x) ⊙ up x) (Shazeer 2020). x [...,E] → [...,E].
Status feedForward(const TensorView& x, const FeedForwardWeights& weights, Activation kind, Output& out,
                   Arena& arena);

/// Vaswani et al. 2017: sin(p / base^(2i/size)) in column 2i, cos in column 2i+1, p = offset.. →
/// [length,size].
Status sinusoidalPositions(size_t length, size_t size, double offset, double base, Output& out, Arena& arena);

/// Angles of positions beyond those a model was trained for.
struct RopeScaling {
  enum class Type : int32_t { kNone = 0, kLinear = 1, kLlama3 = 2, kYarn = 3 };
  Type type = Type::kNone;
  double factor = 1, originalContext = 1;
  double lowFreqFactor = 1, highFreqFactor = 4;  // Llama 3.1
  double betaFast = 32, betaSlow = 1;            // YaRN (Peng et al. 2023)
  double attentionFactor = 0;                    // multiplies YaRN's cos and sin; 0: 0.1·ln(factor) + 1
};

struct RotaryOptions {
  Layout layout = Layout::kBHSD;
  size_t numHeads = 0;                                ///< of packed x; 0: not given
  std::optional<std::span<const int32_t>> positions;  ///< [S] or [B·S]; default 0..S-1
  double base = 10000;
  std::optional<size_t> dims;          ///< values of a head that are turned, even; default all
  bool interleaved = false;            ///< pairs of neighbours instead of halves
  std::optional<TensorView> cos, sin;  ///< given angles: [S,dims/2], [B,S,dims/2]; with positions [P,dims/2]
  RopeScaling scaling;
};

/// Turns pair i of the first `dims` values of each head by position·base^(-2i/dims) (Su et al. 2021; ONNX
/// RotaryEmbedding 23). x in the shapes of planAttention's q.
Status rotaryEmbedding(const TensorView& x, const RotaryOptions& options, Output& out, Arena& arena);

enum class HeadFusion : int32_t { kMean = 0, kMax = 1, kMin = 2 };

/// One factor of attention rollout (Abnar & Zuidema 2020): above·Â, or Â itself for the last layer, with
/// Â = (A + I)/2, rows renormalised, A the attention of a layer fused over its heads. weights [H,S,S] or
/// [B,H,S,S]; above and the result [S,S] or [B,S,S].
Status rolloutStep(const TensorView& weights, const std::optional<TensorView>& above, HeadFusion fusion,
                   bool residual, Output& out, Arena& arena);

/// query [H·D,E], key [Hkv·D,E], value [Hkv·Dv,E], output [E,H·Dv]; biases by rows.
struct ProjectionWeights {
  TensorView query, key, value;
  std::optional<TensorView> output, queryBias, keyBias, valueBias, outputBias;
};

/// Where the three projections read: x [B,Sq,E], key and value [B,Skv,·], or all without the B. The key
/// defaults to x, the value to the key.
struct ProjectionSources {
  TensorView x;
  std::optional<TensorView> key, value;
};

/// Multi-head attention. options.numHeads defaults to 1. → [B,Sq,E], or [B,Sq,H·Dv] without an output
/// projection. With a cache the projected keys and values are appended to it, as KvCache::attend does.
Status projectedAttention(const ProjectionSources& sources, const ProjectionWeights& projections,
                          AttentionOptions options, AttentionOutputs& outputs, Arena& arena,
                          KvCache* cache = nullptr);

/// float32 or float16 → float32, exact.
Status toFloat32(const TensorView& x, Output& out, Arena& arena);

}  // namespace attention
