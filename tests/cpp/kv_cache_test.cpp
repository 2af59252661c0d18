#include "attention/kv_cache.hpp"

#include <array>
#include <vector>

#include "attention_case.hpp"
#include "kernels/store_row.hpp"
#include "runtime/half.hpp"

namespace attention::test {
namespace {

/// What a cache makes of a row of keys or values.
std::vector<float> rounded(DType dtype, std::vector<float> row) {
  std::vector<int8_t> integers(row.size());
  if (dtype == DType::kFloat16) {
    for (float& value : row) value = halfToFloat(floatToHalf(value));
  } else if (dtype == DType::kInt8) {
    const float factor = kernels::storeRow(row.data(), row.size(), integers.data());
    for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(integers[i]) * factor;
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

KvCacheConfig randomConfig(Random& random) {
  KvCacheConfig config{.batch = between(random, 1, 2),
                       .kvHeads = between(random, 1, 2),
                       .headDim = 8 * between(random, 1, 2),
                       .valueDim = std::array<size_t, 2>{5, 8}[between(random, 0, 1)],
                       .capacity = between(random, 1, 600)};
  config.dtype = std::array{DType::kFloat32, DType::kFloat16, DType::kInt8}[between(random, 0, 2)];
  if (chance(random, 0.5)) {
    config.sinkTokens = between(random, 0, 20);
    config.window = between(random, 1, 40);
    config.capacity = config.sinkTokens + config.window + between(random, 0, 30);
  }
  return config;
}

/// A few steps on two caches, of which one is now and then a fork of the other.
void runAtRandom(Random& random) {
  Both one(randomConfig(random)), other(one.config);
  other.fork(one);
  const size_t heads = one.config.kvHeads * between(random, 1, 3);
  for (int step = 0; step < 12; ++step) {
    Both& both = chance(random, 0.7) ? one : other;
    const size_t length = both.keys.size();
    if (chance(random, 0.15)) {
      (&both == &one ? other : one).fork(both);
    } else if (chance(random, 0.2)) {
      // Never into what is gone.
      const size_t least = both.heldFrom <= both.config.sinkTokens ? 0 : both.heldFrom + 1;
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
      const size_t most = both.config.window == 0 ? both.config.capacity - length : 150;
      if (most > 0)
        both.attend(random, heads, between(random, 1, std::min<size_t>(most, chance(random, 0.3) ? 150 : 5)));
    }
  }
}

}  // namespace

TEST_CASE("caches are what concatenation is", "[cache]") {
  Random random(1);
  for (int round = 0; round < 200; ++round) runAtRandom(random);
}

TEST_CASE("a full cache takes nothing more and stays as it is", "[cache]") {
  Random random(2);
  Both both({.headDim = 8, .valueDim = 8, .capacity = 20});
  both.attend(random, 1, 20);
  const size_t bytes = both.cache->byteLength();
  Owned<float> more = normal(random, {1, 1, 1, 8});
  CHECK(both.cache->append(more.view(), more.view(), Layout::kBHSD, 0).code() ==
        ErrorCode::kCapacityExceeded);
  CHECK(both.cache->length() == 20);
  CHECK(both.cache->byteLength() == bytes);
  both.truncate(19);
  both.attend(random, 1, 1);
}

TEST_CASE("a window bounds a cache's memory", "[cache]") {
  Random random(3);
  Both both({.headDim = 8, .valueDim = 8, .capacity = 36, .window = 32, .sinkTokens = 4});
  for (int n = 0; n < 40; ++n) both.attend(random, 2, 7);
  // The sinks' page, and 36 positions in pages of 16 wherever they begin.
  CHECK(both.cache->byteLength() <= 4 * 16 * 2 * 8 * sizeof(float));
  CHECK(both.cache->truncate(200).code() == ErrorCode::kInvalidArgument);
  CHECK(both.cache->truncate(281).code() == ErrorCode::kInvalidArgument);
  both.truncate(4);
  both.attend(random, 2, 3);
}

TEST_CASE("any changed byte of a saved cache is noticed", "[cache]") {
  Random random(4);
  Both both({.kvHeads = 2, .headDim = 8, .valueDim = 5, .capacity = 40, .dtype = DType::kInt8});
  both.attend(random, 2, 17);
  Arena arena;
  Output saved;
  REQUIRE(both.cache->save(saved, arena).ok());
  const auto* start = static_cast<const std::byte*>(saved.view().data);
  std::vector<std::byte> bytes(start, start + saved.view().count() * sizeof(float));
  for (size_t at = 0; at < bytes.size(); ++at) {
    const std::byte before = bytes[at];
    bytes[at] ^= std::byte{1};
    CHECK(both.cache->load(bytes).code() == ErrorCode::kCorruptFile);
    bytes[at] = before;
  }
  CHECK(both.cache->load({bytes.data(), bytes.size() - 4}).code() == ErrorCode::kCorruptFile);
  CHECK(both.cache->load({}).code() == ErrorCode::kCorruptFile);
  const auto larger =
      KvCache::create({.kvHeads = 2, .headDim = 8, .valueDim = 5, .capacity = 41, .dtype = DType::kInt8});
  CHECK(larger->load(bytes).code() == ErrorCode::kInvalidArgument);
  REQUIRE(both.cache->load(bytes).ok());
  both.attend(random, 2, 2);
}

TEST_CASE("every half comes back from its float", "[cache]") {
  for (uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = halfToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      CHECK(std::isnan(halfToFloat(floatToHalf(value))));
    } else {
      CHECK(floatToHalf(value) == bits);
    }
  }
  // Ties go to the even neighbour, and the first value beyond the largest half's half step is infinite.
  CHECK(floatToHalf(1.0f + 0x1p-11f) == 0x3c00);
  CHECK(floatToHalf(1.0f + 3 * 0x1p-11f) == 0x3c02);
  CHECK(floatToHalf(0x1p-25f) == 0);
  CHECK(floatToHalf(3 * 0x1p-25f) == 2);
  CHECK(floatToHalf(65519.0f) == 0x7bff);
  CHECK(floatToHalf(65520.0f) == 0x7c00);
}

}  // namespace attention::test
