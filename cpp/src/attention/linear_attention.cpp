#include <algorithm>
#include <utility>

#include "../kernels/elementwise.hpp"
#include "../kernels/matmul_tile.hpp"
#include "../kernels/pack.hpp"
#include "../runtime/parts.hpp"
#include "run.hpp"

namespace attention {

namespace {

/// One head: the running state φ(K)ᵀ[V,1], whose last column is the denominator's ΣφK. Between chunks it is
/// all there is, and in memory: a call may go on in another part.
///
/// A chunk of queries meets the state of all keys before it in the register tile, and the keys of its own
/// chunk one by one: 24 rows are whole tiles of 4 and of 6, and keep the part done one by one small.
template <class Arch>
class RunningState {
  static constexpr size_t kRows = kernels::Tile<Arch>::rows;
  static constexpr size_t kColumns = kernels::Tile<Arch>::columns;

 public:
  static constexpr size_t kChunk = 24;
  static_assert(kChunk % kRows == 0);

  RunningState(const AttentionPlan& plan, FeatureMap featureMap)
      : plan_(plan),
        featureMap_(featureMap),
        depth_(kernels::roundUp(plan.headDim, kRows)),
        width_(kernels::roundUp(plan.valueDim + 1, kColumns)) {}

  bool allocate(Arena& arena) {
    state_ = arena.floats({depth_, width_});
    queries_ = arena.floats({kChunk, plan_.headDim});
    packedQueries_ = arena.floats({kChunk, plan_.headDim});
    keys_ = arena.floats({depth_, kChunk});
    values_ = arena.floats({kChunk, width_});
    output_ = arena.floats({kChunk, width_});
    return state_ && queries_ && packedQueries_ && keys_ && values_ && output_;
  }

  void begin(size_t batch, size_t head) {
    batch_ = batch;
    head_ = head;
    once([&] { std::fill_n(state_, depth_ * width_, 0.0f); });
  }

  /// Holds a chunk of keys: keys_ = φ(K)ᵀ, values_ = [V,1], zeros where rows or columns are missing.
  void read(Range keys) {
    held_ = keys.size();
    std::fill_n(keys_, depth_ * kChunk, 0.0f);
    std::fill_n(values_, kChunk * width_, 0.0f);
    float* row = packedQueries_;  // free between chunks
    for (size_t j = 0; j < held_; ++j) {
      features(rowOf(plan_.key, batch_, plan_.kvHeadOf(head_), keys.begin + j), row);
      for (size_t d = 0; d < plan_.headDim; ++d) keys_[d * kChunk + j] = row[d];
      std::copy_n(rowOf(plan_.value, batch_, plan_.kvHeadOf(head_), keys.begin + j), plan_.valueDim,
                  values_ + j * width_);
      values_[j * width_ + plan_.valueDim] = 1.0f;
    }
  }

  /// State += φ(K)ᵀ[V,1] of the keys held.
  void absorb() {
    for (size_t d = 0; d < depth_; d += kRows) {
      for (size_t c = 0; c < width_; c += kColumns) {
        kernels::matmulTile<Arch, kernels::Start::kFromC, kChunk>(
            kRows, held_, keys_ + d * kChunk, values_ + c, width_, state_ + d * width_ + c, width_);
      }
    }
    held_ = 0;
  }

  /// Output of a chunk of queries: all keys absorbed so far, and of those held the ones up to each query.
  void attend(Range queries, const TensorView& output) {
    for (size_t i = 0; i < queries.size(); ++i) {
      features(plan_.queryRow(batch_, head_, queries.begin + i), queries_ + i * plan_.headDim);
    }
    kernels::packTiles<Arch>(queries_, plan_.headDim, queries.size(), plan_.headDim, 1.0f, packedQueries_);
    for (size_t r = 0; r < queries.size();) {
      const size_t rows = kernels::tileRows<Arch>(queries.size() - r);
      for (size_t c = 0; c < width_; c += kColumns) {
        kernels::matmulTile<Arch, kernels::Start::kZero, kernels::kPacked>(
            rows, plan_.headDim, packedQueries_ + r * plan_.headDim, state_ + c, width_,
            output_ + r * width_ + c, width_);
      }
      r += rows;
    }
    attendHeld(queries.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      const float* row = output_ + i * width_;
      const float sum = row[plan_.valueDim];
      float* to = rowOf(output, batch_, head_, queries.begin + i);
      for (size_t d = 0; d < plan_.valueDim; ++d) to[d] = sum == 0.0f ? 0.0f : row[d] / sum;
    }
  }

 private:
  /// Keys one by one: what lies behind a query is never read into it.
  void attendHeld(size_t queries) {
    for (size_t i = 0; i < queries; ++i) {
      float* out = output_ + i * width_;
      const float* q = queries_ + i * plan_.headDim;
      for (size_t j = 0; j < std::min(i + 1, held_); ++j) {
        float similarity = 0.0f;
        for (size_t d = 0; d < plan_.headDim; ++d) similarity += q[d] * keys_[d * kChunk + j];
        for (size_t c = 0; c <= plan_.valueDim; ++c) out[c] += similarity * values_[j * width_ + c];
      }
    }
  }

  void features(const float* x, float* to) const {
    using F = simd::Floats<Arch>;
    if (featureMap_ == FeatureMap::kRelu) {
      kernels::map<Arch>(x, plan_.headDim, to, [](F value) { return kernels::relu<Arch>(value); });
    } else {
      kernels::map<Arch>(x, plan_.headDim, to, kernels::EluPlusOne<Arch>());
    }
  }

  const AttentionPlan& plan_;
  const FeatureMap featureMap_;
  const size_t depth_, width_;
  size_t batch_ = 0, head_ = 0;
  size_t held_ = 0;                 // keys read and not yet absorbed
  float* state_ = nullptr;          // [D rounded up][Dv + 1 rounded up]
  float* queries_ = nullptr;        // [kChunk][D], features
  float* packedQueries_ = nullptr;  // tiles of [D][rows]
  float* keys_ = nullptr;           // [D rounded up][kChunk], features
  float* values_ = nullptr;         // [kChunk][Dv + 1 rounded up]
  float* output_ = nullptr;         // [kChunk][Dv + 1 rounded up], not yet divided
};

using State = RunningState<simd::DefaultArch>;

template <class Visit>
void forEachChunk(size_t end, Visit visit) {
  for (size_t begin = 0; begin < end; begin += State::kChunk) {
    once([&] { visit(Range{begin, std::min(begin + State::kChunk, end)}); });
  }
}

}  // namespace

Status linearAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                       const AttentionOptions& options, FeatureMap featureMap, Output& out, Arena& arena) {
  for (const auto& [name, x] : {std::pair{"k", &key}, std::pair{"v", &value}}) {
    if (x->dtype != DType::kFloat32) return unsupportedDtype(name, x->dtype, "float32 or float16");
  }
  AttentionPlan plan;
  ATTENTION_RETURN_IF_ERROR(planAttention(query, key, value, options, &plan));
  const TensorView inputs[] = {query, key, value};
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", plan.outputShape, arena, inputs));
  if (out.view().count() == 0) return {};
  State state(plan, featureMap);
  if (!state.allocate(arena)) return outOfMemory("");
  const TensorView output = plan.outputHeads(out.floats());
  const size_t queries = plan.sequences().queries, keys = plan.sequences().keys;
  for (size_t b = 0; b < plan.batch; ++b) {
    for (size_t h = 0; h < plan.heads; ++h) {
      state.begin(b, h);
      if (!plan.mask.causal) {
        forEachChunk(keys, [&](Range chunk) {
          state.read(chunk);
          state.absorb();
        });
      }
      forEachChunk(queries, [&](Range chunk) {
        if (plan.mask.causal) state.read({std::min(chunk.begin, keys), std::min(chunk.end, keys)});
        state.attend(chunk, output);
        state.absorb();
      });
    }
  }
  return {};
}

}  // namespace attention
