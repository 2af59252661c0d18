#include "attention/kv_cache.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "../kernels/store_row.hpp"
#include "../runtime/parts.hpp"
#include "kv_pages.hpp"
#include "plan_rules.hpp"
#include "run.hpp"

namespace attention {

namespace {

/// Positions of a page: as many as the kernel reads in one go, fewer where a page would be most of the
/// capacity.
constexpr size_t kMostRows = 128, kFewestRows = 16;

/// Where the parts of a page begin; false where it would be larger than memory.
bool layOut(const KvCacheConfig& config, KeyPages* layout, size_t* bytes) {
  layout->rows = std::clamp(config.capacity / 4, kFewestRows, kMostRows) / kFewestRows * kFewestRows;
  const size_t factor = config.dtype == DType::kInt8 ? sizeof(float) : 0, element = byteSize(config.dtype);
  const size_t widths[][2] = {
      {config.headDim, element}, {config.valueDim, element}, {1, factor}, {1, factor}};
  size_t* const ends[] = {&layout->valuesAt, &layout->keyScalesAt, &layout->valueScalesAt, bytes};
  uint64_t end = 0;
  for (size_t part = 0; part < 4; ++part) {
    const size_t factors[] = {config.kvHeads, layout->rows, widths[part][0], widths[part][1]};
    const std::optional<size_t> size = checkedProduct(factors);
    if (!size) return false;
    end = (end + *size + kPageAlignment - 1) / kPageAlignment * kPageAlignment;
    if (end > kLargestBlock - kPageAlignment) return false;
    *ends[part] = static_cast<size_t>(end);
  }
  return true;
}

Status checkRows(const char* name, const TensorView& x, const TensorView& heads, const Shape& want) {
  if (heads.shape == want) return {};
  return shapeMismatch(name, Message() << "got shape " << x.shape.dims() << ", " << heads.shape.dims()
                                       << " as [B,Hkv,S,size], wanted " << want.dims());
}

}  // namespace

std::unique_ptr<KvCache> KvCache::create(const KvCacheConfig& config) {
  std::unique_ptr<KvCache> cache(new (std::nothrow) KvCache(config));
  if (!cache || !layOut(config, &cache->layout_, &cache->pageBytes_)) return nullptr;
  cache->layout_.firstGone = cache->rowsFor(config.sinkTokens);
  return cache;
}

KvCache::~KvCache() {
  release(0, places_);
  std::free(static_cast<void*>(pages_));
}

uint64_t KvCache::byteLength() const {
  const auto isHeld = [](const std::byte* page) { return page != nullptr; };
  return static_cast<uint64_t>(std::count_if(pages_, pages_ + places_ * config_.batch, isHeld)) * pageBytes_;
}

Status KvCache::append(const TensorView& key, const TensorView& value, Layout layout, size_t packedHeads) {
  TensorView keys, values;
  ATTENTION_RETURN_IF_ERROR(readRows(key, value, layout, packedHeads, &keys, &values));
  if (packedHeads != 0 && packedHeads != config_.kvHeads) {
    return invalidArgument("options.numKvHeads", Message() << "got " << static_cast<int64_t>(packedHeads)
                                                           << ", wanted the cache's "
                                                           << static_cast<int64_t>(config_.kvHeads));
  }
  const Status status = reserve(keys.shape[2]);
  if (status.ok()) once([&] { write(keys, values); });
  endOf(status, keys.shape[2]);
  return status;
}

Status KvCache::attend(const TensorView& query, const std::optional<TensorView>& key,
                       const std::optional<TensorView>& value, const AttentionOptions& options,
                       AttentionOutputs& outputs, Arena& arena) {
  TensorView keys, values;
  keys.shape = {config_.batch, config_.kvHeads, 0, config_.headDim};
  ATTENTION_RETURN_IF_ERROR(checkHeadCounts(query, options));
  if (key && value) {
    if (key->rank() != query.rank()) {
      return shapeMismatch("k", Message() << "got shape " << key->shape.dims() << ", wanted rank "
                                          << static_cast<int64_t>(query.rank()) << " as q has");
    }
    const size_t packedHeads = options.numKvHeads != 0 ? options.numKvHeads : config_.kvHeads;
    ATTENTION_RETURN_IF_ERROR(
        readRows(*key, *value, options.layout, options.numHeads == 0 ? 0 : packedHeads, &keys, &values));
  }
  const size_t added = keys.shape[2];
  const auto attendReserved = [&]() -> Status {
    ATTENTION_RETURN_IF_ERROR(reserve(added));
    AttentionPlan plan;
    ATTENTION_RETURN_IF_ERROR(this->plan(query, added, options, &plan));
    AttentionMemory memory;
    const TensorView inputs[] = {query, key.value_or(query), value.value_or(query)};
    ATTENTION_RETURN_IF_ERROR(
        resolveResults(plan, plan.outputShape, inputsOf(inputs, options), outputs, arena, &memory));
    once([&] { write(keys, values); });
    return runAttention(plan, memory, arena);
  };
  const Status status = attendReserved();
  endOf(status, added);
  return status;
}

Status KvCache::readRows(const TensorView& key, const TensorView& value, Layout layout, size_t packedHeads,
                         TensorView* keyHeads, TensorView* valueHeads) const {
  ATTENTION_RETURN_IF_ERROR(planCacheRows("k", key, layout, packedHeads, keyHeads));
  ATTENTION_RETURN_IF_ERROR(planCacheRows("v", value, layout, packedHeads, valueHeads));
  if (value.rank() != key.rank()) {
    return shapeMismatch("v", Message() << "got shape " << value.shape.dims() << ", wanted rank "
                                        << static_cast<int64_t>(key.rank()) << " as k has");
  }
  const size_t batch = config_.batch, heads = config_.kvHeads, added = keyHeads->shape[2];
  ATTENTION_RETURN_IF_ERROR(checkRows("k", key, *keyHeads, {batch, heads, added, config_.headDim}));
  return checkRows("v", value, *valueHeads, {batch, heads, added, config_.valueDim});
}

Status KvCache::reserve(size_t added) {
  if (config_.window == 0 && added > config_.capacity - length_) {
    return {ErrorCode::kCapacityExceeded, "k",
            Message() << "got " << static_cast<int64_t>(added) << " keys beside "
                      << static_cast<int64_t>(length_) << " held, wanted "
                      << static_cast<int64_t>(config_.capacity) << " at most"};
  }
  // Positions travel as 32-bit integers.
  if (added > INT32_MAX - length_) return outOfMemory("k");
  if (added == 0) return {};
  return growTable(placesFor(length_ + added)) && makeRows({length_, length_ + added}) ? Status()
                                                                                       : outOfMemory("k");
}

Status KvCache::plan(const TensorView& query, size_t added, const AttentionOptions& options,
                     AttentionPlan* plan) const {
  CachedKeys cached{config_.batch,   config_.kvHeads, config_.headDim, config_.valueDim,
                    length_ + added, config_.dtype,   layout_,         {}};
  cached.pages.pages = pages_;
  cached.stream = stream();
  return planCached(query, cached, options, plan);
}

void KvCache::write(const TensorView& keyHeads, const TensorView& valueHeads) {
  if (keyHeads.shape[2] == 0) return;
  const auto store = [this](const TensorView& heads, size_t b, size_t h, size_t s, size_t at,
                            size_t factorsAt) {
    std::byte* const start = page((length_ + s) / layout_.rows, b);
    const size_t row = h * layout_.rows + (length_ + s) % layout_.rows, width = heads.shape[3];
    const float* from = rowOf(heads, b, h, s);
    std::byte* to = start + at + row * width * byteSize(config_.dtype);
    switch (config_.dtype) {
      case DType::kInt8:
        reinterpret_cast<float*>(start + factorsAt)[row] =
            kernels::storeRow(from, width, reinterpret_cast<int8_t*>(to));
        return;
      case DType::kFloat16:
        kernels::storeRow(from, width, reinterpret_cast<uint16_t*>(to));
        return;
      default:
        kernels::storeRow(from, width, reinterpret_cast<float*>(to));
    }
  };
  for (size_t b = 0; b < config_.batch; ++b) {
    for (size_t h = 0; h < config_.kvHeads; ++h) {
      for (size_t s = 0; s < keyHeads.shape[2]; ++s) {
        store(keyHeads, b, h, s, 0, layout_.keyScalesAt);
        store(valueHeads, b, h, s, layout_.valuesAt, layout_.valueScalesAt);
      }
    }
  }
}

void KvCache::endOf(const Status& status, size_t added) {
  if (!status.ok()) {
    end(0);
  } else if (parts.isWhole()) {
    end(added);
  }
}

void KvCache::end(size_t appended) {
  length_ += appended;
  release(placesFor(length_), places_);
  places_ = placesFor(length_);
  if (rowsFor(length_) <= layout_.firstGone) layout_.gone = 0;
  if (config_.window == 0) return;
  const size_t others = config_.capacity - config_.sinkTokens;
  if (length_ > config_.capacity) heldFrom_ = std::max(heldFrom_, length_ - others);
  forgetRows();
}

/// Rows of pages behind those of the sinks that no query will see again.
size_t KvCache::rowsGone() const {
  const size_t held = std::min(heldFrom_ / layout_.rows, rowsFor(length_));
  return held - std::min(held, layout_.firstGone);
}

/// They give up their places, so that a stream's table does not grow.
void KvCache::forgetRows() {
  const size_t place = layout_.firstGone, count = rowsGone() - layout_.gone;
  if (count == 0) return;
  release(place, place + count);
  std::copy(pages_ + (place + count) * config_.batch, pages_ + places_ * config_.batch,
            pages_ + place * config_.batch);
  places_ -= count;
  layout_.gone += count;
}

Status KvCache::truncate(size_t length) {
  if (length > length_) {
    return invalidArgument("length", Message() << "got " << static_cast<int64_t>(length) << ", wanted 0.."
                                               << static_cast<int64_t>(length_));
  }
  // The window of the query at position `length` is length - window < j <= length; sinks are always held.
  const bool wasEvicted = heldFrom_ > config_.sinkTokens && length > config_.sinkTokens;
  if (wasEvicted && length + 1 < heldFrom_ + config_.window) {
    return invalidArgument("length", Message()
                                         << "got " << static_cast<int64_t>(length) << ", wanted at least "
                                         << static_cast<int64_t>(heldFrom_ + config_.window - 1)
                                         << ": earlier windows are no longer held whole");
  }
  length_ = length;
  heldFrom_ = std::min(heldFrom_, length);
  end(0);
  return {};
}

std::unique_ptr<KvCache> KvCache::fork() const {
  std::unique_ptr<KvCache> other = create(config_);
  if (!other || !other->growTable(places_)) return nullptr;
  other->layout_.gone = layout_.gone;
  std::transform(pages_, pages_ + places_ * config_.batch, other->pages_, sharePage);
  other->length_ = length_;
  other->heldFrom_ = heldFrom_;
  return other;
}

Status KvCache::reorder(std::span<const int32_t> batch) {
  if (batch.size() != config_.batch) {
    return shapeMismatch("batch", Message() << "got " << static_cast<int64_t>(batch.size())
                                            << " entries, wanted " << static_cast<int64_t>(config_.batch));
  }
  for (const int32_t entry : batch) {
    if (entry < 0 || static_cast<size_t>(entry) >= config_.batch) {
      return invalidArgument(
          "batch", Message() << "got " << entry << ", wanted 0.." << static_cast<int64_t>(config_.batch) - 1);
    }
  }
  const std::unique_ptr<KvCache> before = fork();
  if (!before) return outOfMemory("batch");
  for (size_t place = 0; place < places_; ++place) {
    std::byte** const own = pages_ + place * config_.batch;
    std::byte* const* const from = before->pages_ + place * config_.batch;
    for (size_t entry = 0; entry < config_.batch; ++entry)
      dropPage(std::exchange(own[entry], sharePage(from[static_cast<size_t>(batch[entry])])));
  }
  return {};
}

/// New places of the table hold nothing.
bool KvCache::growTable(size_t places) {
  if (places > room_) {
    const size_t room = std::max(places, 2 * room_);
    const size_t factors[] = {room, config_.batch, sizeof(std::byte*)};
    const std::optional<size_t> bytes = checkedProduct(factors);
    if (!bytes || *bytes > kLargestBlock) return false;
    auto* pages = static_cast<std::byte**>(std::realloc(static_cast<void*>(pages_), *bytes));
    if (pages == nullptr) return false;
    pages_ = pages;
    room_ = room;
  }
  if (places > places_) std::fill(pages_ + places_ * config_.batch, pages_ + places * config_.batch, nullptr);
  places_ = std::max(places_, places);
  return true;
}

/// Pages to write positions into.
bool KvCache::makeRows(Range positions) {
  for (size_t row = positions.begin / layout_.rows; row < rowsFor(positions.end); ++row) {
    for (size_t entry = 0; entry < config_.batch; ++entry) {
      if (!makeOwn(page(row, entry))) return false;
    }
  }
  return true;
}

/// A page to write into: a new one, or a copy where others have it too.
bool KvCache::makeOwn(std::byte*& page) const {
  if (page != nullptr && ownersOf(page) == 1) return true;
  std::byte* own = makePage(pageBytes_);
  if (own == nullptr) return false;
  if (page != nullptr) std::memcpy(own, page, pageBytes_);
  dropPage(std::exchange(page, own));
  return true;
}

void KvCache::release(size_t from, size_t to) {
  for (size_t i = from * config_.batch; i < to * config_.batch; ++i)
    dropPage(std::exchange(pages_[i], nullptr));
}

}  // namespace attention
