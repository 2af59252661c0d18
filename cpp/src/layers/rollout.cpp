#include <algorithm>

#include "../kernels/finite.hpp"
#include "../runtime/threads.hpp"
#include "linear.hpp"

namespace attention {

namespace {

/// Attention of all heads of a batch entry fused into one matrix.
class FusedHeads {
 public:
  FusedHeads(const TensorView& weights, HeadFusion fusion, bool residual)
      : size_(weights.shape.last()),
        heads_(weights.shape[weights.rank() - 3]),
        fusion_(fusion),
        residual_(residual),
        weights_(weights.floats()) {}

  /// Row `i` of Â of a batch entry: fused, the residual's half of the identity added, renormalised.
  void row(size_t batch, size_t i, float* to) const {
    const float* first = weights_ + (batch * heads_ * size_ + i) * size_;
    std::copy_n(first, size_, to);
    for (size_t h = 1; h < heads_; ++h) {
      const float* from = first + h * size_ * size_;
      for (size_t j = 0; j < size_; ++j) to[j] = fuse(to[j], from[j]);
    }
    const float share = fusion_ == HeadFusion::kMean ? 1.0f / static_cast<float>(heads_) : 1.0f;
    float sum = 0.0f;
    for (size_t j = 0; j < size_; ++j) {
      to[j] = to[j] * share + (residual_ && i == j ? 1.0f : 0.0f);
      sum += to[j];
    }
    for (size_t j = 0; sum != 0.0f && j < size_; ++j) to[j] /= sum;
  }

 private:
  float fuse(float fused, float next) const {
    switch (fusion_) {
      case HeadFusion::kMean:
        return fused + next;
      case HeadFusion::kMax:
        return kernels::largerOrNaN(fused, next);
      case HeadFusion::kMin:
        return -kernels::largerOrNaN(-fused, -next);
    }
    return fused;
  }

  const size_t size_, heads_;
  const HeadFusion fusion_;
  const bool residual_;
  const float* weights_;
};

Status checkWeights(const TensorView& weights) {
  ATTENTION_RETURN_IF_ERROR(checkFloat("layers", weights));
  const int rank = weights.rank();
  const bool isSquare = (rank == 3 || rank == 4) && weights.shape[rank - 1] == weights.shape[rank - 2];
  if (isSquare && weights.shape[rank - 3] != 0) return {};
  return shapeMismatch("layers",
                       Message() << "got shape " << weights.shape.dims() << ", wanted [H,S,S] or [B,H,S,S]");
}

}  // namespace

Status rolloutStep(const TensorView& weights, const std::optional<TensorView>& above, HeadFusion fusion,
                   bool residual, Output& out, Arena& arena) {
  ATTENTION_RETURN_IF_ERROR(checkWeights(weights));
  const size_t size = weights.shape.last(), batch = weights.rank() == 4 ? weights.shape[0] : 1;
  const Shape shape = weights.rank() == 4 ? Shape{batch, size, size} : Shape{size, size};
  if (above) ATTENTION_RETURN_IF_ERROR(checkFloat("layers", *above));
  if (above && above->shape != shape) {
    return shapeMismatch("layers", Message() << "got shape " << weights.shape.dims()
                                             << ", wanted the other layers' length and batch, "
                                             << above->shape.dims());
  }
  ATTENTION_RETURN_IF_ERROR(out.resolve("layers", shape, arena));
  if (out.view().count() == 0) return {};
  const FusedHeads fused(weights, fusion, residual);
  float* row = arena.floats({size});
  float* transposed = arena.floats({size, size});
  float* scratch = linearScratch(arena);
  if (row == nullptr || transposed == nullptr || scratch == nullptr) return outOfMemory("");
  for (size_t b = 0; b < batch; ++b) {
    float* to = out.floats() + b * size * size;
    inOrder(size, [&](size_t i) {
      fused.row(b, i, above ? row : to + i * size);
      for (size_t j = 0; above && j < size; ++j) transposed[j * size + i] = row[j];
    });
    if (!above) continue;
    // A linear layer multiplies by its weight's transpose.
    const TensorView upper =
        TensorView::contiguous(above->floats() + b * size * size, DType::kFloat32, {size, size});
    runLinear(upper, TensorView::contiguous(transposed, DType::kFloat32, {size, size}), std::nullopt, to,
              scratch);
  }
  return {};
}

}  // namespace attention
