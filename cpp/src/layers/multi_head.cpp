#include <string_view>

#include "../attention/run.hpp"
#include "../runtime/parts.hpp"
#include "linear.hpp"

namespace attention {

namespace {

Status checkInput(const char* argument, const TensorView& x) {
  ATTENTION_RETURN_IF_ERROR(checkFloat(argument, x));
  if (x.rank() == 2 || x.rank() == 3) return {};
  return shapeMismatch(argument, Message() << "got shape " << x.shape.dims() << ", wanted [S,E] or [B,S,E]");
}

Status checkSource(const char* argument, const TensorView& source, const TensorView& x) {
  ATTENTION_RETURN_IF_ERROR(checkInput(argument, source));
  const bool fits = x.rank() == source.rank() && (x.rank() == 2 || x.shape[0] == source.shape[0]);
  if (fits) return {};
  return shapeMismatch(argument, Message() << "got shape " << source.shape.dims()
                                           << ", wanted x's rank and batch size, " << x.shape.dims());
}

/// x projected, in the arena.
Status project(const LinearNames& names, const TensorView& x, const TensorView& weight,
               const std::optional<TensorView>& bias, Arena& arena, TensorView* projected) {
  Shape shape;
  ATTENTION_RETURN_IF_ERROR(checkLinear(names, x, weight, bias, &shape));
  Output room;
  ATTENTION_RETURN_IF_ERROR(room.resolve("", shape, arena));
  *projected = room.view();
  return {};
}

/// The plan knows the projected tensors as q, k and v; the caller gave their weights.
Status inTermsOfProjections(const Status& status) {
  const std::string_view argument = status.argument();
  if (argument == "q") return status.renamed("projections.query");
  if (argument == "k") return status.renamed("projections.key");
  if (argument == "v") return status.renamed("projections.value");
  return status;
}

/// Projected keys and values on their way into a cache, which is left as it was unless the call comes to its
/// end.
class Appending {
 public:
  explicit Appending(KvCache* cache) : cache_(cache) {}
  ~Appending() {
    if (cache_ != nullptr) cache_->end(0);
  }
  Appending(const Appending&) = delete;
  Appending& operator=(const Appending&) = delete;

  Status begin(const TensorView& key, const TensorView& value, const AttentionOptions& options) {
    const size_t heads = options.numKvHeads != 0 ? options.numKvHeads : options.numHeads;
    const Status fits = cache_->readRows(key, value, Layout::kBHSD, heads, &keys_, &values_);
    if (!fits.ok()) return fits.renamed("options.cache");
    return cache_->reserve(count());
  }
  size_t count() const { return keys_.shape[2]; }
  void write() {
    if (cache_ != nullptr) once([&] { cache_->write(keys_, values_); });
  }
  /// Until all parts of the call are done, what is reserved and written waits for the next.
  void finish() {
    if (cache_ != nullptr && parts.isWhole()) cache_->end(count());
    cache_ = nullptr;
  }

 private:
  KvCache* cache_;
  TensorView keys_, values_;
};

}  // namespace

Status projectedAttention(const ProjectionSources& sources, const ProjectionWeights& projections,
                          AttentionOptions options, AttentionOutputs& outputs, Arena& arena, KvCache* cache) {
  const TensorView& x = sources.x;
  const TensorView& keySource = sources.key ? *sources.key : x;
  const TensorView& valueSource = sources.value ? *sources.value : keySource;
  const char* sourceName = sources.key ? "context" : "x";
  ATTENTION_RETURN_IF_ERROR(checkInput("x", x));
  ATTENTION_RETURN_IF_ERROR(checkSource(sourceName, keySource, x));
  ATTENTION_RETURN_IF_ERROR(checkSource(sourceName, valueSource, x));
  if (options.numHeads == 0) options.numHeads = 1;

  const ProjectionWeights& p = projections;
  TensorView query, key, value;
  ATTENTION_RETURN_IF_ERROR(
      project({"x", "projections.query", "projections.queryBias"}, x, p.query, p.queryBias, arena, &query));
  ATTENTION_RETURN_IF_ERROR(project({sourceName, "projections.key", "projections.keyBias"}, keySource, p.key,
                                    p.keyBias, arena, &key));
  ATTENTION_RETURN_IF_ERROR(project({sourceName, "projections.value", "projections.valueBias"}, valueSource,
                                    p.value, p.valueBias, arena, &value));
  AttentionPlan plan;
  Appending appending(cache);
  if (cache != nullptr) {
    ATTENTION_RETURN_IF_ERROR(appending.begin(key, value, options));
    ATTENTION_RETURN_IF_ERROR(inTermsOfProjections(cache->plan(query, appending.count(), options, &plan)));
  } else {
    ATTENTION_RETURN_IF_ERROR(inTermsOfProjections(planAttention(query, key, value, options, &plan)));
  }

  Output attended;
  Shape shape = plan.outputShape;
  if (p.output) {
    const TensorView joined = TensorView::contiguous(nullptr, DType::kFloat32, plan.outputShape);
    ATTENTION_RETURN_IF_ERROR(
        checkLinear({"the attended values", "projections.output", "projections.outputBias"}, joined,
                    *p.output, p.outputBias, &shape));
    ATTENTION_RETURN_IF_ERROR(attended.resolve("", plan.outputShape, arena));
  } else if (p.outputBias) {
    return invalidArgument("projections.outputBias", Message()
                                                         << "got it without output, wanted both or none");
  }
  const TensorView own[] = {x,
                            keySource,
                            valueSource,
                            p.query,
                            p.key,
                            p.value,
                            p.output.value_or(x),
                            p.queryBias.value_or(x),
                            p.keyBias.value_or(x),
                            p.valueBias.value_or(x),
                            p.outputBias.value_or(x)};
  AttentionMemory memory;
  ATTENTION_RETURN_IF_ERROR(resolveResults(plan, shape, inputsOf(own, options), outputs, arena, &memory));
  if (p.output) memory.output = attended.floats();

  float* scratch = linearScratch(arena);
  if (scratch == nullptr) return outOfMemory("");
  runLinear(x, p.query, p.queryBias, query.floats(), scratch);
  runLinear(keySource, p.key, p.keyBias, key.floats(), scratch);
  runLinear(valueSource, p.value, p.valueBias, value.floats(), scratch);
  appending.write();
  ATTENTION_RETURN_IF_ERROR(runAttention(plan, memory, arena));
  if (p.output) runLinear(attended.view(), *p.output, p.outputBias, outputs.output.floats(), scratch);
  appending.finish();
  return {};
}

}  // namespace attention
