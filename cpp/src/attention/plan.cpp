#include <cmath>

#include "plan_rules.hpp"

namespace attention {

namespace {

/// How the axes of a rank-2, 3 or 4 input are read as [B,heads,S,size].
struct HeadsAxes {
  size_t batch, heads, length, size;
};

bool packed(const TensorView& x, const AttentionOptions& options) {
  return options.numHeads != 0 && x.rank() < 4 && options.layout != Layout::kTHD;
}

HeadsAxes axesOf(const TensorView& x, const AttentionOptions& options, size_t numHeads) {
  const Shape& s = x.shape;
  if (packed(x, options)) {
    const size_t batch = x.rank() == 3 ? s[0] : 1;
    return {batch, numHeads, s[x.rank() - 2], s.last() / numHeads};
  }
  if (options.layout == Layout::kTHD) return {1, s[1], s[0], s[2]};
  if (x.rank() == 2) return {1, 1, s[0], s[1]};
  if (x.rank() == 3) return {1, s[0], s[1], s[2]};
  return options.layout == Layout::kBHSD ? HeadsAxes{s[0], s[1], s[2], s[3]}
                                         : HeadsAxes{s[0], s[2], s[1], s[3]};
}

/// Contiguous memory as [B,heads,S,size]; `byRow`: the heads of a row lie side by side.
TensorView headsView(void* data, const HeadsAxes& axes, bool byRow, DType dtype = DType::kFloat32) {
  TensorView view;
  view.data = data;
  view.dtype = dtype;
  view.shape = {axes.batch, axes.heads, axes.length, axes.size};
  view.strides[0] = axes.heads * axes.length * axes.size;
  view.strides[1] = byRow ? axes.size : axes.length * axes.size;
  view.strides[2] = byRow ? axes.heads * axes.size : axes.size;
  view.strides[3] = 1;
  return view;
}

Status checkInput(const char* name, const TensorView& x, const TensorView& query) {
  if (x.rank() < 2 || x.rank() > 4) {
    return shapeMismatch(name, Message() << "got shape " << x.shape.dims() << ", wanted rank 2, 3 or 4");
  }
  if (x.rank() != query.rank()) {
    return shapeMismatch(
        name, Message() << "got shape " << x.shape.dims() << ", wanted rank " << query.rank() << " as q has");
  }
  return {};
}

/// int8 means nothing without the factors it was rounded with.
Status checkStored(const char* name, const TensorView& x, const char* scalesName,
                   const std::optional<TensorView>& scales) {
  if (x.dtype == DType::kFloat32 || x.dtype == DType::kFloat16) {
    if (!scales) return {};
    return invalidArgument(scalesName, Message() << "got it for " << name << " of " << nameOf(x.dtype)
                                                 << ", wanted it for int8 only");
  }
  if (x.dtype == DType::kInt8 && scales) return {};
  return unsupportedDtype(name, x.dtype, "float32, float16, or int8 with its scales");
}

Status checkScales(const char* name, const std::optional<TensorView>& scales, const HeadsAxes& axes) {
  if (!scales) return {};
  if (scales->dtype != DType::kFloat32) return unsupportedDtype(name, scales->dtype, "float32 or float16");
  const Shape want{axes.batch, axes.heads, axes.length};
  if (scales->shape == want) return {};
  return shapeMismatch(
      name, Message() << "got shape " << scales->shape.dims() << ", wanted [B,Hkv,Skv] = " << want.dims());
}

Status checkLayout(const char* name, const TensorView& x, const AttentionOptions& options) {
  if (options.layout == Layout::kTHD && x.rank() != 3) {
    return shapeMismatch(name, Message() << "got shape " << x.shape.dims() << ", wanted [T,H,D]");
  }
  if (options.layout != Layout::kBSHD || x.rank() == 4) return {};
  return invalidArgument("options.layout", Message() << "got 'BSHD' for " << name << " of shape "
                                                     << x.shape.dims() << ", wanted rank 4");
}

/// A packed last axis must split into heads.
Status checkSplit(const char* name, const TensorView& x, const AttentionOptions& options, size_t heads) {
  if (!packed(x, options) || x.shape.last() % heads == 0) return {};
  return shapeMismatch(name, Message()
                                 << "got shape " << x.shape.dims() << ", wanted a last axis divisible by "
                                 << static_cast<int64_t>(heads) << " heads");
}

Status wanted(const char* name, const TensorView& x, const char* what, size_t size) {
  return shapeMismatch(name, Message() << "got shape " << x.shape.dims() << ", wanted " << what << " "
                                       << static_cast<int64_t>(size));
}

/// The head counts that the options name are those that q and k have.
Status checkQueryHeads(const AttentionOptions& options, const HeadsAxes& q, const HeadsAxes& k) {
  if (q.size == 0) return shapeMismatch("q", Message() << "got a head size of 0, wanted at least 1");
  if (options.numHeads != 0 && q.heads != options.numHeads) {
    return invalidArgument("options.numHeads", Message() << "got " << static_cast<int64_t>(options.numHeads)
                                                         << ", wanted q's " << static_cast<int64_t>(q.heads));
  }
  if (options.numKvHeads != 0 && k.heads != options.numKvHeads) {
    return invalidArgument("options.numKvHeads", Message()
                                                     << "got " << static_cast<int64_t>(options.numKvHeads)
                                                     << ", wanted k's " << static_cast<int64_t>(k.heads));
  }
  return {};
}

Status checkAgreement(const TensorView& key, const TensorView& value, const AttentionOptions& options,
                      const HeadsAxes& q, const HeadsAxes& k, const HeadsAxes& v) {
  ATTENTION_RETURN_IF_ERROR(checkQueryHeads(options, q, k));
  if (k.batch != q.batch) return wanted("k", key, "q's batch size", q.batch);
  if (v.batch != q.batch) return wanted("v", value, "q's batch size", q.batch);
  if (k.size != q.size) return wanted("k", key, "q's head size", q.size);
  if (v.heads != k.heads) return wanted("v", value, "k's number of heads", k.heads);
  if (v.length != k.length) return wanted("v", value, "k's length", k.length);
  if (q.heads != 0 && (k.heads == 0 || q.heads % k.heads != 0)) {
    return shapeMismatch("k", Message()
                                  << "got " << static_cast<int64_t>(k.heads)
                                  << " heads, wanted a divisor of q's " << static_cast<int64_t>(q.heads));
  }
  return {};
}

/// What a plan has of its sizes, however its keys and values are kept.
Status planSizes(const TensorView& query, const HeadsAxes& q, const HeadsAxes& k, size_t valueDim,
                 const AttentionOptions& options, AttentionPlan* plan) {
  *plan = {};
  plan->batch = q.batch;
  plan->heads = q.heads;
  plan->kvHeads = k.heads;
  plan->headDim = q.size;
  plan->valueDim = valueDim;
  plan->scale = options.scale.value_or(1.0f / std::sqrt(static_cast<float>(q.size)));
  plan->headsByRow = packed(query, options) || options.layout != Layout::kBHSD;
  plan->query = headsView(query.data, q, plan->headsByRow);
  plan->stage = options.weights;
  plan->wantsLogSumExp = options.logSumExp;
  plan->outputShape = query.shape;
  const size_t joined[] = {packed(query, options) ? q.heads : 1, valueDim};
  const std::optional<size_t> width = checkedProduct(joined);
  if (!width) return outOfMemory("");
  plan->outputShape[query.rank() - 1] = *width;
  plan->weightsShape = {q.batch, q.heads, q.length, k.length};
  plan->logSumExpShape = {q.batch, q.heads, q.length};
  plan->mask.sequences = {q.length, k.length, {}, {}};
  return {};
}

}  // namespace

Status checkHeadCounts(const TensorView& query, const AttentionOptions& options) {
  if (options.numKvHeads != 0 && options.numHeads == 0) {
    return invalidArgument("options.numKvHeads", Message()
                                                     << "got " << static_cast<int64_t>(options.numKvHeads)
                                                     << " without numHeads, wanted both");
  }
  if (options.numKvHeads != 0 && options.numHeads % options.numKvHeads != 0) {
    return invalidArgument("options.numKvHeads", Message()
                                                     << "got " << static_cast<int64_t>(options.numKvHeads)
                                                     << ", wanted a divisor of numHeads = "
                                                     << static_cast<int64_t>(options.numHeads));
  }
  return checkLayout("q", query, options);
}

TensorView AttentionPlan::outputHeads(float* output) const {
  const size_t rows = sequences().queryStarts.empty() ? sequences().queries : logSumExpShape[1];
  TensorView view = headsView(output, {batch, heads, rows, valueDim}, headsByRow);
  if (!sequences().queryStarts.empty()) view.strides[0] = 0;  // rows are counted over all sequences
  return view;
}

Status planAttention(const TensorView& query, const TensorView& key, const TensorView& value,
                     const AttentionOptions& options, AttentionPlan* plan) {
  if (query.dtype != DType::kFloat32) return unsupportedDtype("q", query.dtype, "float32 or float16");
  ATTENTION_RETURN_IF_ERROR(checkStored("k", key, "options.keyScales", options.keyScales));
  ATTENTION_RETURN_IF_ERROR(checkStored("v", value, "options.valueScales", options.valueScales));
  ATTENTION_RETURN_IF_ERROR(checkInput("q", query, query));
  ATTENTION_RETURN_IF_ERROR(checkInput("k", key, query));
  ATTENTION_RETURN_IF_ERROR(checkInput("v", value, query));
  ATTENTION_RETURN_IF_ERROR(checkHeadCounts(query, options));

  const size_t kvHeads = options.numKvHeads != 0 ? options.numKvHeads : options.numHeads;
  ATTENTION_RETURN_IF_ERROR(checkSplit("q", query, options, options.numHeads));
  ATTENTION_RETURN_IF_ERROR(checkSplit("k", key, options, kvHeads));
  ATTENTION_RETURN_IF_ERROR(checkSplit("v", value, options, kvHeads));
  const HeadsAxes q = axesOf(query, options, options.numHeads);
  const HeadsAxes k = axesOf(key, options, kvHeads);
  const HeadsAxes v = axesOf(value, options, kvHeads);
  ATTENTION_RETURN_IF_ERROR(checkAgreement(key, value, options, q, k, v));
  ATTENTION_RETURN_IF_ERROR(checkScales("options.keyScales", options.keyScales, k));
  ATTENTION_RETURN_IF_ERROR(checkScales("options.valueScales", options.valueScales, v));

  ATTENTION_RETURN_IF_ERROR(planSizes(query, q, k, v.size, options, plan));
  const bool byRow = plan->headsByRow;
  plan->key = headsView(key.data, k, byRow, key.dtype);
  plan->value = headsView(value.data, v, byRow, value.dtype);
  plan->keyScales = options.keyScales;
  plan->valueScales = options.valueScales;
  return planRules(options, plan);
}

Status planCacheRows(const char* name, const TensorView& x, Layout layout, size_t packedHeads,
                     TensorView* heads) {
  if (x.dtype != DType::kFloat32) return unsupportedDtype(name, x.dtype, "float32 or float16");
  ATTENTION_RETURN_IF_ERROR(checkInput(name, x, x));
  AttentionOptions options;
  options.layout = layout;
  options.numHeads = packedHeads;
  ATTENTION_RETURN_IF_ERROR(checkLayout(name, x, options));
  ATTENTION_RETURN_IF_ERROR(checkSplit(name, x, options, packedHeads));
  const bool byRow = packed(x, options) || layout != Layout::kBHSD;
  *heads = headsView(x.data, axesOf(x, options, packedHeads), byRow);
  return {};
}

Status planCached(const TensorView& query, const CachedKeys& cached, const AttentionOptions& options,
                  AttentionPlan* plan) {
  if (query.dtype != DType::kFloat32) return unsupportedDtype("q", query.dtype, "float32 or float16");
  ATTENTION_RETURN_IF_ERROR(checkInput("q", query, query));
  AttentionOptions complete = options;
  // What the cache knows need not be said again.
  if (options.numHeads != 0 && options.numKvHeads == 0) complete.numKvHeads = cached.kvHeads;
  ATTENTION_RETURN_IF_ERROR(checkHeadCounts(query, complete));
  ATTENTION_RETURN_IF_ERROR(checkSplit("q", query, options, options.numHeads));
  const HeadsAxes q = axesOf(query, options, options.numHeads);
  const HeadsAxes k{cached.batch, cached.kvHeads, cached.length, cached.headDim};
  ATTENTION_RETURN_IF_ERROR(checkQueryHeads(complete, q, k));
  if (q.batch != k.batch) return wanted("q", query, "the cache's batch size", k.batch);
  if (q.size != k.size) return wanted("q", query, "the cache's head size", k.size);
  if (q.heads % k.heads != 0) return wanted("q", query, "a multiple of the cache's heads,", k.heads);

  ATTENTION_RETURN_IF_ERROR(planSizes(query, q, k, cached.valueDim, options, plan));
  // Only the strides within a page count: where it lies, the pages say.
  plan->key = headsView(nullptr, {1, k.heads, cached.pages.rows, k.size}, false, cached.dtype);
  plan->value = headsView(nullptr, {1, k.heads, cached.pages.rows, cached.valueDim}, false, cached.dtype);
  if (cached.dtype == DType::kInt8) {
    plan->keyScales = plan->valueScales =
        TensorView::contiguous(nullptr, DType::kFloat32, {1, k.heads, cached.pages.rows});
  }
  plan->pages = cached.pages;
  plan->mask.stream = cached.stream;
  return planRules(options, plan);
}

}  // namespace attention
