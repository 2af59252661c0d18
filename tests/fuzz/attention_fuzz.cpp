// The fused kernel against the double reference: problems of every layout, type, mask and option that the
// bytes choose, whole and in parts. What is refused must say why.
#include <algorithm>
#include <array>
#include <cmath>

#include "random_case.hpp"
#include "refusal.hpp"
#include "runtime/parts.hpp"

namespace attention::test {
namespace {

Sizes randomSizes(Random& random) {
  const size_t kvHeads = between(random, 1, 3);
  return {.batch = between(random, 1, 3),
          .heads = kvHeads * between(random, 1, 3),
          .kvHeads = kvHeads,
          .queries = between(random, 1, chance(random, 0.1) ? 140 : 20),
          .keys = between(random, 1, chance(random, 0.1) ? 200 : 40),
          .headDim = headSize(random),
          .valueDim = headSize(random)};
}

/// One axis has another size.
void resize(Random& random, Owned<float>& tensor) {
  const auto last = static_cast<size_t>(tensor.shape.rank()) - 1;
  tensor.shape[static_cast<int>(between(random, 0, last))] = between(random, 0, 3);
  tensor.values.resize(*checkedProduct(tensor.shape.dims()));
}

/// Some of what a user may get wrong, or that lies at the end of what is allowed.
void spoil(Random& random, RandomCase& made) {
  AttentionOptions& options = made.attention.options;
  const auto extreme = [&] {
    return std::array<int32_t, 4>{INT32_MIN, INT32_MAX, -1, 0}[between(random, 0, 3)];
  };
  switch (between(random, 0, 12)) {
    case 0:
      options.queryOffset = extreme();
      break;
    case 1:
      options.window = {extreme(), extreme()};
      break;
    case 2:
      made.lengths.resize(between(random, 0, 4), extreme());
      options.kvLengths = made.lengths;
      break;
    case 3:
      options.softcap = std::array{kNaN, kInfinity, -1.0f, 1e-30f}[between(random, 0, 3)];
      break;
    case 4:
      options.scale = std::array{0.0f, -1.0f, -0.0f, 0.01f}[between(random, 0, 3)];
      break;
    case 5:
      if (!made.attention.storedKey) resize(random, made.attention.k);
      break;
    case 6:
      resize(random, made.attention.q);
      break;
    case 7:
      options.causal = static_cast<Causal>(between(random, 0, 3));
      break;
    case 8:
      made.offsets.assign(between(random, 0, 4), std::array{-1000, 1000, -1, 0}[between(random, 0, 3)]);
      options.queryOffsets = made.offsets;
      break;
    case 9:
      options.numHeads = between(random, 0, 5);
      break;
    case 10:
      options.numKvHeads = between(random, 0, 5);
      break;
    case 11:
      if (!made.blocks.empty()) made.blocks[between(random, 0, made.blocks.size() - 1)] = extreme();
      break;
    default:
      options.layout = static_cast<Layout>(between(random, 0, 2));
  }
}

/// The same numbers in another of the shapes that attention takes; they are random in any order.
void relayout(Random& random, const Sizes& s, RandomCase& made) {
  AttentionCase& attention = made.attention;
  const std::array<std::pair<Owned<float>*, size_t>, 3> tensors{
      {{&attention.q, s.heads}, {&attention.k, s.kvHeads}, {&attention.v, s.kvHeads}}};
  if (attention.storedKey || attention.storedValue) return;  // theirs are [B,Hkv,Skv,D]
  const size_t kind = between(random, 0, 3);
  for (const auto& [tensor, heads] : tensors) {
    Shape& shape = tensor->shape;
    const Shape before = shape;
    if (kind == 1) shape = {before[0], before[2], before[1], before[3]};
    if (kind == 2) shape = {before[0], before[2], before[1] * before[3]};
    if (kind == 3 && s.batch == 1) shape = {before[1], before[2], before[3]};
  }
  if (kind == 1) attention.options.layout = Layout::kBSHD;
  if (kind == 2) {
    attention.options.numHeads = s.heads;
    attention.options.numKvHeads = s.kvHeads;
  }
}

/// Every part adds up to the whole, to the bit.
void compareParts(AttentionCase& attention, size_t items) {
  const auto call = [&](AttentionOutputs& outputs, Arena& arena) {
    return scaledDotProductAttention(attention.q.view(), attention.storedKey.value_or(attention.k.view()),
                                     attention.storedValue.value_or(attention.v.view()), attention.options,
                                     outputs, arena);
  };
  Arena arena, parted;
  AttentionOutputs whole, sum;
  REQUIRE(call(whole, arena).ok());
  const Arena::Mark start = parted.mark();
  do {
    parted.rewind(start);
    parts.begin(items);
    REQUIRE(call(sum, parted).ok());
  } while (!parts.isWhole());
  parts.end();
  const auto isSame = [](const Output& a, const Output& b) {
    return std::memcmp(a.floats(), b.floats(), a.view().count() * sizeof(float)) == 0;
  };
  REQUIRE(isSame(whole.output, sum.output));
  if (attention.options.weights != Stage::kNone) REQUIRE(isSame(whole.weights, sum.weights));
}

void attend(Random& random) {
  const Sizes sizes = randomSizes(random);
  RandomCase made{makeCase(random, sizes), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  storeSome(random, made);
  addPosition(random, sizes, made);
  addMasks(random, sizes, made);
  addScores(random, sizes, made);
  AttentionOptions& options = made.attention.options;
  options.weights = static_cast<Stage>(between(random, 0, 4));
  options.logSumExp = chance(random, 0.5);
  const bool isMapped = chance(random, 0.2);
  AttentionOptions asked = isMapped ? withBlockMap(random, sizes, made) : options;
  relayout(random, sizes, made);
  const bool isSpoilt = chance(random, 0.2);
  if (isSpoilt) spoil(random, made);
  AttentionOutputs outputs;
  Arena arena;
  const Status status = scaledDotProductAttention(
      made.attention.q.view(), made.attention.storedKey.value_or(made.attention.k.view()),
      made.attention.storedValue.value_or(made.attention.v.view()), options, outputs, arena);
  if (!status.ok()) {
    REQUIRE(isSpoilt);
    requireSaysWhy(status);
    return;
  }
  compareParts(made.attention, between(random, 1, 7));
  if (isSpoilt && isMapped) return;  // the mask that the reference knows is another one
  // Distances of 2^31 are float32 numbers, whose neighbours are 128 apart.
  const bool isFar = options.queryOffset && std::abs(static_cast<double>(*options.queryOffset)) > 1e4;
  if (isFar && (options.alibi || options.alibiSlopes)) return;
  if (isSpoilt || !isMapped) asked = options;
  const AttentionCase::Errors errors = made.attention.run(asked);
  REQUIRE(errors.output <= made.attention.tolerance());
  REQUIRE(errors.weights <= 2e-5);
  REQUIRE(errors.logSumExp <= 2e-5);
}

}  // namespace
}  // namespace attention::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  attention::test::Random random(std::span(data, size));
  attention::test::attend(random);
  return 0;
}
