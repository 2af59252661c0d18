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

/// The shapes that attention takes beside [B,H,S,D].
enum class Form { kHeadsFirst, kRowsFirst, kPacked, kOneBatch };

/// Where a row of a head is, among rows, in memory of a form.
size_t rowIn(Form form, const Shape& plain, size_t b, size_t h, size_t s) {
  const size_t heads = plain[1], length = plain[2];
  const bool isRowsFirst = form == Form::kRowsFirst || form == Form::kPacked;
  return isRowsFirst ? (b * length + s) * heads + h : (b * heads + h) * length + s;
}

Shape shapeIn(Form form, const Shape& s) {
  if (form == Form::kRowsFirst) return {s[0], s[2], s[1], s[3]};
  if (form == Form::kPacked) return {s[0], s[2], s[1] * s[3]};
  if (form == Form::kOneBatch) return {s[1], s[2], s[3]};
  return s;
}

/// Calls fn(b, h, s) for every row of [B,H,S,D].
template <class Visit>
void forEachRow(const Shape& plain, Visit visit) {
  for (size_t b = 0; b < plain[0]; ++b) {
    for (size_t h = 0; h < plain[1]; ++h) {
      for (size_t s = 0; s < plain[2]; ++s) visit(b, h, s);
    }
  }
}

/// The same tensor in another form, row by row.
void relay(Form form, Owned<float>& tensor) {
  const Owned<float> before = tensor;
  const size_t width = before.shape[3];
  const auto at = [&](size_t row) { return static_cast<std::ptrdiff_t>(row * width); };
  forEachRow(before.shape, [&](size_t b, size_t h, size_t s) {
    const auto from = before.values.begin() + at(rowIn(Form::kHeadsFirst, before.shape, b, h, s));
    std::copy_n(from, width, tensor.values.begin() + at(rowIn(form, before.shape, b, h, s)));
  });
  tensor.shape = shapeIn(form, before.shape);
}

Form relayout(Random& random, const Sizes& s, AttentionCase& attention) {
  const auto form = static_cast<Form>(between(random, 0, s.batch == 1 ? 3 : 2));
  // What is stored is [B,Hkv,Skv,D].
  if (attention.storedKey || attention.storedValue) return Form::kHeadsFirst;
  for (Owned<float>* tensor : {&attention.q, &attention.k, &attention.v}) relay(form, *tensor);
  if (form == Form::kRowsFirst) attention.options.layout = Layout::kBSHD;
  if (form == Form::kPacked) {
    attention.options.numHeads = s.heads;
    attention.options.numKvHeads = s.kvHeads;
  }
  return form;
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
  if (attention.options.logSumExp) REQUIRE(isSame(whole.logSumExp, sum.logSumExp));
}

/// What a call in any form gave, beside the reference of the plain one.
void compare(AttentionCase& plain, const AttentionOptions& asked, Form form,
             const AttentionOutputs& outputs) {
  AttentionPlan plan;
  AttentionOptions ofFloats = plain.options;
  ofFloats.keyScales.reset();
  ofFloats.valueScales.reset();
  REQUIRE(planAttention(plain.q.view(), plain.k.view(), plain.v.view(), ofFloats, &plan).ok());
  const ReferenceResult reference = referenceAttention(plan, asked);
  const Shape& q = plain.q.shape;
  const size_t width = plain.v.shape[3];
  REQUIRE(outputs.output.view().shape == shapeIn(form, {q[0], q[1], q[2], width}));
  std::vector<float> heads;
  forEachRow(q, [&](size_t b, size_t h, size_t s) {
    const float* row = outputs.output.floats() + rowIn(form, q, b, h, s) * width;
    heads.insert(heads.end(), row, row + width);
  });
  REQUIRE(largestError(heads.data(), reference.output) <= plain.tolerance());
  if (plain.options.weights != Stage::kNone)
    REQUIRE(largestError(outputs.weights.floats(), reference.weights) <= 2e-5);
  if (plain.options.logSumExp) REQUIRE(largestError(outputs.logSumExp.floats(), reference.logSumExp) <= 2e-5);
}

void attend(Random& random) {
  const Sizes sizes = randomSizes(random, 140, 200);
  RandomCase made{makeCase(random, sizes), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  storeSome(random, made);
  addPosition(random, sizes, made);
  addMasks(random, sizes, made);
  addScores(random, sizes, made);
  AttentionCase& attention = made.attention;
  attention.options.weights = static_cast<Stage>(between(random, 0, 4));
  attention.options.logSumExp = chance(random, 0.5);
  const bool isMapped = chance(random, 0.2);
  const AttentionOptions asked = isMapped ? withBlockMap(random, sizes, made) : attention.options;
  AttentionCase plain = attention;
  const Form form = relayout(random, sizes, attention);
  const bool isSpoilt = chance(random, 0.2);
  if (isSpoilt) spoil(random, made);
  AttentionOutputs outputs;
  Arena arena;
  const Status status = scaledDotProductAttention(
      attention.q.view(), attention.storedKey.value_or(attention.k.view()),
      attention.storedValue.value_or(attention.v.view()), attention.options, outputs, arena);
  if (!status.ok()) {
    REQUIRE(isSpoilt);
    requireSaysWhy(status);
    return;
  }
  compareParts(attention, between(random, 1, 7));
  // What is wrong may be right by chance, as another problem.
  if (!isSpoilt) compare(plain, asked, form, outputs);
}

}  // namespace
}  // namespace attention::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  attention::test::Random random(std::span(data, size));
  attention::test::attend(random);
  return 0;
}
