#pragma once

#include <optional>

#include "block_words.hpp"
#include "stored.hpp"

namespace attention::test {

/// A random call; the masks live beside it.
struct RandomCase {
  AttentionCase attention;
  Owned<float> floatMask, slopes, sinks;
  Owned<uint8_t> boolMask, keyMask;
  std::vector<int32_t> offsets, lengths, blocks;
  Stored keys, values;
};

inline Shape maskShape(Random& random, const Sizes& s) {
  const Shape full{s.batch, s.heads, s.queries, s.keys};
  Shape shape;
  for (int axis = static_cast<int>(between(random, 0, 3)); axis < 4; ++axis) {
    const bool shorter = axis == 3 && full[axis] > 2 && chance(random, 0.2);
    shape.push(chance(random, 0.3) ? 1 : shorter ? full[axis] - 1 : full[axis]);
  }
  return shape;
}

inline void addPosition(Random& random, const Sizes& s, RandomCase& made) {
  AttentionOptions& options = made.attention.options;
  const size_t kind = between(random, 0, 3);
  options.causal = static_cast<Causal>(kind);
  if (kind <= 1 && chance(random, 0.5)) {
    options.queryOffset = static_cast<int32_t>(between(random, 0, 2 * s.keys)) - static_cast<int32_t>(s.keys);
  } else if (kind <= 1 && chance(random, 0.3)) {
    for (size_t b = 0; b < s.batch; ++b)
      made.offsets.push_back(static_cast<int32_t>(between(random, 0, s.keys)) - 3);
    options.queryOffsets = made.offsets;
  }
  if (chance(random, 0.3)) {
    const auto side = [&] { return static_cast<int32_t>(between(random, 0, s.keys)) - 1; };
    options.window = {side(), side()};
  }
  if (chance(random, 0.3)) {
    for (size_t b = 0; b < s.batch; ++b)
      made.lengths.push_back(static_cast<int32_t>(between(random, 0, s.keys)));
    options.kvLengths = made.lengths;
  }
}

inline void addMasks(Random& random, const Sizes& s, RandomCase& made) {
  AttentionOptions& options = made.attention.options;
  const Shape shape = maskShape(random, s);
  if (chance(random, 0.25)) {
    made.floatMask = normal(random, shape);
    for (float& value : made.floatMask.values) value = chance(random, 0.2) ? -kInfinity : value;
    options.mask = made.floatMask.view();
  } else if (chance(random, 0.25)) {
    made.boolMask = {shape, std::vector<uint8_t>(*checkedProduct(shape.dims()))};
    for (uint8_t& value : made.boolMask.values) value = chance(random, 0.7);
    options.mask = made.boolMask.view();
  }
  if (chance(random, 0.25)) {
    made.keyMask = {{s.batch, s.keys}, std::vector<uint8_t>(s.batch * s.keys)};
    for (uint8_t& value : made.keyMask.values) value = chance(random, 0.8);
    options.attentionMask = made.keyMask.view();
  }
}

inline void addScores(Random& random, const Sizes& s, RandomCase& made) {
  AttentionOptions& options = made.attention.options;
  if (chance(random, 0.25)) options.softcap = chance(random, 0.5) ? 2.0f : 30.0f;
  if (chance(random, 0.2)) {
    options.alibi = true;
  } else if (chance(random, 0.2)) {
    made.slopes = normal(random, {s.heads}, 0.03f);  // scores stay below 50
    options.alibiSlopes = made.slopes.view();
  }
  if (chance(random, 0.25)) {
    made.sinks = normal(random, {s.heads}, 3.0f);
    for (float& sink : made.sinks.values) sink = chance(random, 0.1) ? -kInfinity : sink;
    options.sinks = made.sinks.view();
  }
}

/// Now and then as another type.
inline void storeSome(Random& random, RandomCase& made) {
  if (chance(random, 0.2)) {
    storeKeys(random, chance(random, 0.5) ? DType::kFloat16 : DType::kInt8, made.attention, made.keys);
  }
  if (chance(random, 0.2)) {
    storeValues(random, chance(random, 0.5) ? DType::kFloat16 : DType::kInt8, made.attention, made.values);
  }
}

/// Half of the head sizes are ones that let few queries' keys and values be read in place.
inline size_t headSize(Random& random) {
  return chance(random, 0.5) ? between(random, 1, 40) : 16 * between(random, 1, 3);
}

/// A few queries and keys, and now and then up to the given.
inline Sizes randomSizes(Random& random, size_t mostQueries, size_t mostKeys) {
  const size_t kvHeads = between(random, 1, 3);
  return {.batch = between(random, 1, 3),
          .heads = kvHeads * between(random, 1, 3),
          .kvHeads = kvHeads,
          .queries = between(random, 1, chance(random, 0.1) ? mostQueries : 20),
          .keys = between(random, 1, chance(random, 0.1) ? mostKeys : 40),
          .headDim = headSize(random),
          .valueDim = headSize(random)};
}

/// A block map in place of a mask: the reference is given the mask it was made of.
inline AttentionOptions withBlockMap(Random& random, const Sizes& s, RandomCase& made) {
  const bool perBatch = chance(random, 0.5), perHead = chance(random, 0.5);
  const size_t batches = perBatch ? s.batch : 1, heads = perHead ? s.heads : 1;
  std::vector<DensePlane> planes;
  made.boolMask = {{batches, heads, s.queries, s.keys}, {}};
  for (size_t plane = 0; plane < batches * heads; ++plane) {
    planes.push_back({randomBlocks(random, s.queries, s.keys), s.queries, s.keys});
    made.boolMask.values.insert(made.boolMask.values.end(), planes.back().attends.begin(),
                                planes.back().attends.end());
  }
  made.blocks = blockWords(planes, batches, heads);
  AttentionOptions options = made.attention.options;
  options.mask = made.boolMask.view();
  made.attention.options.mask.reset();
  made.attention.options.blockMap = made.blocks;
  return options;
}

}  // namespace attention::test
