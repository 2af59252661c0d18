#pragma once

#include <optional>
#include <span>

#include "attention/attention.hpp"

/// The layers around attention. Inputs are contiguous float32; leading axes are written "...". Every result
/// goes to an Output; errors name the arguments as written here.
namespace attention {

/// exp(x - max) / sum over one axis (negative counts from the end).
Status softmax(const TensorView& x, int axis, Output& out, Arena& arena);

/// (x - mean) / sqrt(variance + epsilon) · weight + bias over the axes from `axis` to the end; biased
/// variance in two passes (Ba et al. 2016; ONNX LayerNormalization). weight and bias have the shape of those
/// axes.
Status layerNorm(const TensorView& x, const std::optional<TensorView>& weight,
                 const std::optional<TensorView>& bias, int axis, float epsilon, Output& out, Arena& arena);

/// x·Φ(x) by erf (Hendrycks & Gimpel 2016).
Status gelu(const TensorView& x, Output& out, Arena& arena);

Status tanh(const TensorView& x, Output& out, Arena& arena);

/// x + y, broadcast from the right.
Status add(const TensorView& x, const TensorView& y, Output& out, Arena& arena);

/// x [...,K] · weightᵀ [N,K] + bias [N] → [...,N].
Status linear(const TensorView& x, const TensorView& weight, const std::optional<TensorView>& bias,
              Output& out, Arena& arena);

/// Rows of table [V,E] (float32 or float16) by ids [...] (int32) → [...,E]. An id outside 0..V-1 is refused.
Status embedding(const TensorView& ids, const TensorView& table, Output& out, Arena& arena);

enum class Activation : int32_t { kRelu = 0, kGelu = 1 };

/// up [F,E], down [E,F], gate [F,E]; biases [F], [E], [F].
struct FeedForwardWeights {
  TensorView up, down;
  std::optional<TensorView> gate, upBias, downBias, gateBias;
};

/// down(act(up x)), or with a gate down(act(gate x) ⊙ up x) (Shazeer 2020). x [...,E] → [...,E].
Status feedForward(const TensorView& x, const FeedForwardWeights& weights, Activation activation, Output& out,
                   Arena& arena);

/// Vaswani et al. 2017: sin(p / base^(2i/size)) in column 2i, cos in column 2i+1, p = offset.. →
/// [length,size].
Status sinusoidalPositions(size_t length, size_t size, double offset, double base, Output& out, Arena& arena);

/// query [H·D,E], key [Hkv·D,E], value [Hkv·Dv,E], output [E,H·Dv]; biases by rows.
struct ProjectionWeights {
  TensorView query, key, value;
  std::optional<TensorView> output, queryBias, keyBias, valueBias, outputBias;
};

/// Multi-head attention of x [B,Sq,E] or [Sq,E] over context, or without one over itself. options.numHeads
/// defaults to 1. → [B,Sq,E], or [B,Sq,H·Dv] without an output projection.
Status projectedAttention(const TensorView& x, const std::optional<TensorView>& context,
                          const ProjectionWeights& projections, AttentionOptions options,
                          AttentionOutputs& outputs, Arena& arena);

/// float32 or float16 → float32, exact.
Status toFloat32(const TensorView& x, Output& out, Arena& arena);

}  // namespace attention
