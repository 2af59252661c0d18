#pragma once

#include <array>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "attention/kv_cache.hpp"
#include "attention_case.hpp"
#include "kernels/store_row.hpp"

namespace attention::test {

/// The nearest float16, ties to even.
inline double nearestHalf(double value) {
  const double step = std::ldexp(1.0, std::max(std::ilogb(value), -14) - 10);
  const double nearest = std::nearbyint(value / step) * step;
  return std::abs(nearest) > 65504 ? std::copysign(kInfinity, value) : nearest;
}

/// What a cache makes of a row of keys or values. Near a tie int8 may go either way, by at most its bound.
inline std::vector<float> rounded(DType dtype, std::vector<float> row) {
  if (dtype == DType::kFloat16) {
    for (float& value : row) value = static_cast<float>(nearestHalf(static_cast<double>(value)));
  } else if (dtype == DType::kInt8) {
    double largest = 0;
    for (const float value : row) largest = std::max(largest, std::abs(static_cast<double>(value)));
    std::vector<int8_t> integers(row.size());
    const float factor = kernels::storeRow(row.data(), row.size(), integers.data());
    for (size_t i = 0; i < row.size(); ++i) {
      const float stored = static_cast<float>(integers[i]) * factor;
      REQUIRE(std::abs(static_cast<double>(stored) - static_cast<double>(row[i])) <=
              largest / 254 * (1 + 3e-5));
      row[i] = stored;
    }
  }
  return row;
}

/// A cache beside plain lists of all that came.
struct Both {
  KvCacheConfig config;
  std::unique_ptr<KvCache> cache;
  std::vector<std::vector<float>> keys, values;  // of a position: [B,Hkv,·]
  size_t heldFrom = 0;

  explicit Both(const KvCacheConfig& c) : config(c), cache(KvCache::create(c)) {}

  void fork(const Both& from) {
    cache = from.cache->fork();
    keys = from.keys;
    values = from.values;
    heldFrom = from.heldFrom;
  }

  /// [B,Hkv,S,size] of all positions.
  Owned<float> all(const std::vector<std::vector<float>>& positions, size_t size) const {
    const size_t length = positions.size(), heads = config.batch * config.kvHeads;
    Owned<float> tensor{{config.batch, config.kvHeads, length, size},
                        std::vector<float>(heads * length * size)};
    for (size_t h = 0; h < heads; ++h) {
      for (size_t s = 0; s < length; ++s) {
        for (size_t d = 0; d < size; ++d) {
          tensor.values[(h * length + s) * size + d] = positions[s][h * size + d];
        }
      }
    }
    return tensor;
  }

  void remember(const Owned<float>& tensor, std::vector<std::vector<float>>& positions) const {
    const size_t heads = config.batch * config.kvHeads, count = tensor.shape[2], size = tensor.shape[3];
    for (size_t s = 0; s < count; ++s) {
      std::vector<float> position;
      for (size_t h = 0; h < heads; ++h) {
        const auto from = tensor.values.begin() + static_cast<std::ptrdiff_t>((h * count + s) * size);
        const auto row = rounded(config.dtype, {from, from + static_cast<std::ptrdiff_t>(size)});
        position.insert(position.end(), row.begin(), row.end());
      }
      positions.push_back(position);
    }
  }

  /// Whether a query at p sees key j, before causality.
  bool sees(size_t p, size_t j) const {
    return config.window == 0 || j < config.sinkTokens || (j >= heldFrom && p < j + config.window);
  }

  /// `count` tokens of `heads` query heads, held against the reference over everything that came.
  void attend(Random& random, size_t heads, size_t count) {
    const size_t before = keys.size();
    Owned<float> q = normal(random, {config.batch, heads, count, config.headDim});
    Owned<float> k = normal(random, {config.batch, config.kvHeads, count, config.headDim});
    Owned<float> v = normal(random, {config.batch, config.kvHeads, count, config.valueDim});
    AttentionOptions options;
    options.causal = Causal::kTrue;
    options.queryOffset = static_cast<int32_t>(before);
    options.weights = Stage::kProbabilities;
    options.logSumExp = true;
    AttentionOutputs outputs;
    Arena arena;
    const Status status = cache->attend(q.view(), k.view(), v.view(), options, outputs, arena);
    INFO(status.argument() << ": " << Message::latest());
    REQUIRE(status.ok());
    remember(k, keys);
    remember(v, values);

    Owned<uint8_t> mask{{count, keys.size()}, {}};
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < keys.size(); ++j) mask.values.push_back(sees(before + i, j) ? 1 : 0);
    }
    options.mask = mask.view();
    Owned<float> allKeys = all(keys, config.headDim), allValues = all(values, config.valueDim);
    AttentionPlan plan;
    REQUIRE(planAttention(q.view(), allKeys.view(), allValues.view(), options, &plan).ok());
    const ReferenceResult reference = referenceAttention(plan, options);
    INFO("before " << before << ", count " << count << ", " << nameOf(config.dtype) << ", window "
                   << config.window << ", sinks " << config.sinkTokens << ", capacity " << config.capacity);
    CHECK(largestError(outputs.output.floats(), reference.output) <=
          2e-6 * (1 + largestMagnitude(allValues)));
    CHECK(largestError(outputs.weights.floats(), reference.weights) <= 2e-6);
    CHECK(largestError(outputs.logSumExp.floats(), reference.logSumExp) <= 1e-5);
    if (config.window != 0 && keys.size() > config.capacity) {
      heldFrom = std::max(heldFrom, keys.size() - (config.capacity - config.sinkTokens));
    }
    CHECK(cache->length() == keys.size());
  }

  void reorder(const std::vector<int32_t>& batch) {
    REQUIRE(cache->reorder(batch).ok());
    for (auto* positions : {&keys, &values}) {
      for (std::vector<float>& position : *positions) {
        const std::vector<float> before = position;
        const size_t width = position.size() / config.batch;
        for (size_t b = 0; b < batch.size(); ++b) {
          for (size_t i = 0; i < width; ++i) {
            position[b * width + i] = before[static_cast<size_t>(batch[b]) * width + i];
          }
        }
      }
    }
  }

  void truncate(size_t length) {
    REQUIRE(cache->truncate(length).ok());
    keys.resize(length);
    values.resize(length);
    heldFrom = std::min(heldFrom, length);
  }
};

inline KvCacheConfig randomConfig(Random& random, size_t mostCapacity = 600) {
  KvCacheConfig config{.batch = between(random, 1, 2),
                       .kvHeads = between(random, 1, 2),
                       .headDim = 8 * between(random, 1, 2),
                       .valueDim = std::array<size_t, 2>{5, 8}[between(random, 0, 1)],
                       .capacity = between(random, 1, mostCapacity)};
  config.dtype = std::array{DType::kFloat32, DType::kFloat16, DType::kInt8}[between(random, 0, 2)];
  if (chance(random, 0.5)) {
    config.sinkTokens = between(random, 0, 20);
    config.window = between(random, 1, 40);
    config.capacity = config.sinkTokens + config.window + between(random, 0, 30);
  }
  return config;
}

/// The bytes of a cache with words of its header changed, and a checksum that says it was so.
inline std::vector<std::byte> forged(const KvCache& cache,
                                     std::initializer_list<std::pair<size_t, uint32_t>> changes) {
  Arena arena;
  Output saved;
  REQUIRE(cache.save(saved, arena).ok());
  std::vector<uint32_t> words(saved.view().count());
  std::memcpy(words.data(), saved.view().data, words.size() * sizeof(uint32_t));
  for (const auto& [word, value] : changes) words.at(word) = value;
  const std::span<const std::byte> bytes = std::as_bytes(std::span(words));
  uint32_t hash = 0x811c9dc5u;  // FNV-1a
  for (const std::byte byte : bytes.first(bytes.size() - sizeof(hash)))
    hash = (hash ^ static_cast<uint32_t>(byte)) * 0x01000193u;
  words.back() = hash;
  return {bytes.begin(), bytes.end()};
}
/// Words of the header.
inline constexpr size_t kLengthWord = 10, kHeldFromWord = 11;

/// A few steps on two caches, of which one is now and then a fork of the other.
inline void runAtRandom(Random& random, Both& one, size_t longest = 150) {
  Both other(one.config);
  other.fork(one);
  const size_t heads = one.config.kvHeads * between(random, 1, 3);
  for (int step = 0; step < 12; ++step) {
    Both& both = chance(random, 0.7) ? one : other;
    const size_t length = both.keys.size();
    if (chance(random, 0.15)) {
      (&both == &one ? other : one).fork(both);
    } else if (chance(random, 0.2)) {
      // Never to where a window would reach what is gone.
      const size_t least =
          both.heldFrom <= both.config.sinkTokens ? 0 : both.heldFrom + both.config.window - 1;
      both.truncate(between(random, std::min(least, length), length));
    } else if (chance(random, 0.1)) {
      both.reorder(both.config.batch == 1 ? std::vector<int32_t>{0} : std::vector<int32_t>{1, 1});
    } else if (chance(random, 0.1)) {
      const std::unique_ptr<KvCache> loaded = KvCache::create(both.config);
      Arena arena;
      Output bytes;
      REQUIRE(both.cache->save(bytes, arena).ok());
      const auto* start = static_cast<const std::byte*>(bytes.view().data);
      REQUIRE(loaded->load({start, bytes.view().count() * sizeof(float)}).ok());
      CHECK(loaded->byteLength() <= both.cache->byteLength());
      both.cache = loaded->fork();
    } else {
      const size_t most = both.config.window == 0 ? both.config.capacity - length : longest;
      if (most > 0)
        both.attend(random, heads,
                    between(random, 1, std::min<size_t>(most, chance(random, 0.3) ? longest : 5)));
    }
  }
}

}  // namespace attention::test
