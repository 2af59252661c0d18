#include <algorithm>
#include <cstring>
#include <utility>

#include "../runtime/half.hpp"
#include "attention/kv_cache.hpp"

/// A cache as bytes, in the machine's order (little-endian wherever WebAssembly runs):
///
///   header: 12 words · for each batch entry, for keys, values and the factors of both, for each head: the
///   held positions' rows · zeros up to a whole word · FNV-1a of all before it (Fowler, Noll & Vo 1991),
///   which no change of one byte leaves as it was
namespace attention {

namespace {

constexpr uint32_t kMagic = 0x564b5741;  // "AWKV"
constexpr uint32_t kVersion = 1;

uint32_t checksum(std::span<const std::byte> bytes) {
  uint32_t hash = 0x811c9dc5u;
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint32_t>(byte)) * 0x01000193u;
  return hash;
}

Status corrupt(const char* why) { return {ErrorCode::kCorruptFile, "bytes", Message() << why}; }

}  // namespace

std::array<uint32_t, 12> KvCache::header() const {
  const auto word = [](size_t value) { return static_cast<uint32_t>(value); };
  const KvCacheConfig& c = config_;
  return {kMagic,
          kVersion,
          word(static_cast<size_t>(c.dtype)),
          word(c.batch),
          word(c.kvHeads),
          word(c.headDim),
          word(c.valueDim),
          word(c.capacity),
          word(c.window),
          word(c.sinkTokens),
          word(length_),
          word(heldFrom_)};
}

/// Calls visit(memory, bytes) with each stretch of rows that is held, in the order of the format.
template <class Visit>
void KvCache::forEachRun(Visit visit) const {
  if (length_ == 0) return;
  const size_t element = byteSize(config_.dtype), factor = config_.dtype == DType::kInt8 ? sizeof(float) : 0;
  const size_t pieces[][2] = {{0, config_.headDim * element},
                              {layout_.valuesAt, config_.valueDim * element},
                              {layout_.keyScalesAt, factor},
                              {layout_.valueScalesAt, factor}};
  for (size_t entry = 0; entry < config_.batch; ++entry) {
    for (const auto& [at, width] : pieces) {
      for (size_t head = 0; head < config_.kvHeads; ++head) {
        for (const Range held : stream().held({0, length_})) {
          for (size_t from = held.begin; from < held.end;) {
            const size_t end = std::min(held.end, layout_.endOfPage(from));
            std::byte* page = pages_[layout_.placeOf(from / layout_.rows) * config_.batch + entry];
            visit(page + at + (head * layout_.rows + from % layout_.rows) * width, (end - from) * width);
            from = end;
          }
        }
      }
    }
  }
}

/// One part of all pages, as [B,Hkv,length,width].
void KvCache::copyRows(size_t at, size_t factorsAt, size_t width, float* to) const {
  if (length_ == 0) return;
  std::fill_n(to, config_.batch * config_.kvHeads * length_ * width, 0.0f);
  for (size_t line = 0; line < config_.batch * config_.kvHeads; ++line) {
    for (const Range held : stream().held({0, length_})) {
      for (size_t position = held.begin; position < held.end; ++position) {
        const size_t place = layout_.placeOf(position / layout_.rows);
        const std::byte* page = pages_[place * config_.batch + line / config_.kvHeads];
        const size_t row = line % config_.kvHeads * layout_.rows + position % layout_.rows;
        float* out = to + (line * length_ + position) * width;
        if (config_.dtype == DType::kFloat32) {
          std::copy_n(reinterpret_cast<const float*>(page + at) + row * width, width, out);
        } else if (config_.dtype == DType::kFloat16) {
          const auto* halves = reinterpret_cast<const uint16_t*>(page + at) + row * width;
          std::transform(halves, halves + width, out, halfToFloat);
        } else {
          const auto* steps = reinterpret_cast<const int8_t*>(page + at) + row * width;
          const float factor = reinterpret_cast<const float*>(page + factorsAt)[row];
          for (size_t d = 0; d < width; ++d) out[d] = static_cast<float>(steps[d]) * factor;
        }
      }
    }
  }
}

Status KvCache::read(Output& keys, Output& values, Arena& arena) const {
  const KvCacheConfig& c = config_;
  ATTENTION_RETURN_IF_ERROR(keys.resolve("", {c.batch, c.kvHeads, length_, c.headDim}, arena));
  ATTENTION_RETURN_IF_ERROR(values.resolve("", {c.batch, c.kvHeads, length_, c.valueDim}, arena));
  copyRows(0, layout_.keyScalesAt, c.headDim, keys.floats());
  copyRows(layout_.valuesAt, layout_.valueScalesAt, c.valueDim, values.floats());
  return {};
}

uint64_t KvCache::savedBytes() const {
  const auto [sinks, others] = stream().held({0, length_});
  const uint64_t element = byteSize(config_.dtype),
                 factors = config_.dtype == DType::kInt8 ? 2 * sizeof(float) : 0;
  const uint64_t row = (uint64_t{config_.headDim} + config_.valueDim) * element + factors;
  const uint64_t bytes = row * config_.batch * config_.kvHeads * (sinks.size() + others.size());
  return sizeof(header()) + (bytes + 3) / 4 * 4 + sizeof(uint32_t);
}

Status KvCache::save(Output& bytes, Arena& arena) const {
  // Pages that are shared may hold less than their rows come to.
  if (savedBytes() > kLargestBlock) return outOfMemory("");
  const auto size = static_cast<size_t>(savedBytes());
  ATTENTION_RETURN_IF_ERROR(bytes.resolve("", {size / sizeof(float)}, arena));
  auto* const start = static_cast<std::byte*>(bytes.view().data);
  std::memset(start, 0, size);
  const auto head = header();
  std::memcpy(start, head.data(), sizeof(head));
  std::byte* to = start + sizeof(head);
  forEachRun([&](const std::byte* rows, size_t count) {
    std::memcpy(to, rows, count);
    to += count;
  });
  const uint32_t sum = checksum({start, size - sizeof(uint32_t)});
  std::memcpy(start + size - sizeof(sum), &sum, sizeof(sum));
  return {};
}

Status KvCache::load(std::span<const std::byte> bytes) {
  const auto own = header();
  std::remove_const_t<decltype(own)> head{};
  uint32_t sum = 0;
  if (bytes.size() < sizeof(head) + sizeof(sum)) return corrupt("got fewer bytes than a cache has");
  const std::span<const std::byte> body = bytes.first(bytes.size() - sizeof(sum));
  std::memcpy(&sum, body.data() + body.size(), sizeof(sum));
  if (sum != checksum(body)) return corrupt("got bytes that were changed or are no cache's");
  std::memcpy(head.data(), body.data(), sizeof(head));
  if (head[0] != kMagic) return corrupt("got bytes that are no cache's");
  if (head[1] != kVersion) return corrupt("got bytes of another version");
  if (!std::equal(own.begin() + 2, own.end() - 2, head.begin() + 2)) {
    return invalidArgument("bytes", Message() << "got a cache of another config, wanted this one's");
  }
  const size_t length = head[10], heldFrom = head[11];
  const size_t most = config_.window == 0 ? config_.capacity : size_t{INT32_MAX};
  const size_t others = length - std::min(length, std::max(heldFrom, config_.sinkTokens));
  if (length > most || heldFrom > length || (config_.window == 0 && heldFrom != 0) ||
      others > config_.capacity - config_.sinkTokens) {
    return corrupt("got a length that no cache has");
  }
  const std::unique_ptr<KvCache> loaded = create(config_);
  if (!loaded) return outOfMemory("bytes");
  loaded->length_ = length;
  loaded->heldFrom_ = heldFrom;
  if (bytes.size() != loaded->savedBytes()) return corrupt("got more or fewer bytes than its length has");
  loaded->layout_.gone = loaded->rowsGone();
  if (!loaded->growTable(loaded->placesFor(length))) return outOfMemory("bytes");
  for (const Range held : loaded->stream().held({0, length})) {
    if (held.size() != 0 && !loaded->makeRows(held)) return outOfMemory("bytes");
  }
  const std::byte* from = body.data() + sizeof(head);
  loaded->forEachRun([&](std::byte* rows, size_t count) {
    std::memcpy(rows, from, count);
    from += count;
  });
  std::swap(pages_, loaded->pages_);
  std::swap(places_, loaded->places_);
  layout_.gone = loaded->layout_.gone;
  std::swap(room_, loaded->room_);
  length_ = length;
  heldFrom_ = heldFrom;
  return {};
}

}  // namespace attention
