#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>

#include "attention_case.hpp"

namespace attention::test {
namespace {

struct Refusal {
  const char* argument;
  ErrorCode code;
  std::function<void(AttentionCase&)> change;
};

AttentionCase sound() {
  Random random(31);
  return makeCase(random, {.batch = 2, .heads = 4, .kvHeads = 2, .queries = 3, .keys = 5});
}

Status planned(AttentionCase& attention) {
  AttentionPlan plan;
  return planAttention(attention.q.view(), attention.k.view(), attention.v.view(), attention.options, &plan);
}

}  // namespace

TEST_CASE("every call that does not fit is refused by argument", "[plan]") {
  using enum ErrorCode;
  Owned<float> mask{{3, 3, 5}, std::vector<float>(45)};
  Owned<int32_t> integers{{5}, std::vector<int32_t>(5)};
  const std::vector<int32_t> lengths{5, 6};
  const Refusal refusals[] = {
      {"k", kShapeMismatch, [](AttentionCase& c) { c.k.shape = {2, 2, 4, 10}; }},
      {"k", kShapeMismatch, [](AttentionCase& c) { c.k.shape = {4, 5, 8}; }},
      {"k", kShapeMismatch, [](AttentionCase& c) { c.k.shape = c.v.shape = {2, 3, 5, 8}; }},
      {"v", kShapeMismatch, [](AttentionCase& c) { c.v.shape = {2, 2, 10, 4}; }},
      {"v", kShapeMismatch, [](AttentionCase& c) { c.v.shape = {1, 4, 5, 8}; }},
      {"q", kShapeMismatch, [](AttentionCase& c) { c.q.shape = {192}; }},
      {"options.numHeads", kInvalidArgument, [](AttentionCase& c) { c.options.numHeads = 3; }},
      {"options.numKvHeads", kInvalidArgument, [](AttentionCase& c) { c.options.numKvHeads = 2; }},
      {"options.queryOffset", kInvalidArgument,
       [](AttentionCase& c) {
         c.options.causal = Causal::kLowerRight;
         c.options.queryOffset = 1;
       }},
      {"options.kvLengths", kInvalidArgument, [&](AttentionCase& c) { c.options.kvLengths = lengths; }},
      {"options.kvLengths", kShapeMismatch,
       [&](AttentionCase& c) { c.options.kvLengths = std::span(lengths).first(1); }},
      {"options.mask", kShapeMismatch, [&](AttentionCase& c) { c.options.mask = mask.view(); }},
      {"options.mask", kUnsupportedDtype, [&](AttentionCase& c) { c.options.mask = integers.view(); }},
      {"options.attentionMask", kUnsupportedDtype,
       [&](AttentionCase& c) { c.options.attentionMask = mask.view(); }},
      {"options.attentionMask", kShapeMismatch,
       [&](AttentionCase& c) { c.options.attentionMask = integers.view(); }},
  };
  AttentionCase untouched = sound();
  REQUIRE(planned(untouched).ok());
  for (const Refusal& refusal : refusals) {
    AttentionCase attention = sound();
    refusal.change(attention);
    const Status status = planned(attention);
    INFO(refusal.argument << ", got " << status.argument() << ": " << Message::latest());
    CHECK(status.code() == refusal.code);
    CHECK(std::string(status.argument()) == refusal.argument);
    CHECK(std::string(Message::latest()).find("wanted") != std::string::npos);
  }
}

TEST_CASE("the output has the shape of the input's rank", "[plan]") {
  const auto outputOf = [](const Shape& q, const Shape& k, const Shape& v, size_t heads) {
    AttentionPlan plan;
    AttentionOptions options;
    options.numHeads = heads;
    const auto view = [](const Shape& shape) {
      return TensorView::contiguous(nullptr, DType::kFloat32, shape);
    };
    REQUIRE(planAttention(view(q), view(k), view(v), options, &plan).ok());
    return plan.outputShape;
  };
  CHECK(outputOf({3, 8}, {5, 8}, {5, 6}, 0) == Shape{3, 6});
  CHECK(outputOf({2, 3, 8}, {2, 5, 8}, {2, 5, 6}, 0) == Shape{2, 3, 6});
  CHECK(outputOf({3, 8}, {5, 8}, {5, 6}, 2) == Shape{3, 6});
  CHECK(outputOf({7, 3, 8}, {7, 5, 8}, {7, 5, 6}, 2) == Shape{7, 3, 6});
  CHECK(outputOf({7, 2, 3, 8}, {7, 2, 5, 8}, {7, 2, 5, 6}, 0) == Shape{7, 2, 3, 6});
}

TEST_CASE("results that overflow the address space are out of memory before any work", "[plan]") {
  AttentionOptions options;
  options.weights = Stage::kScores;
  const size_t huge = size_t{1} << (sizeof(size_t) * 4);
  const TensorView q = TensorView::contiguous(nullptr, DType::kFloat32, {huge, 1});
  const TensorView v = TensorView::contiguous(nullptr, DType::kFloat32, {huge, 0});
  Arena arena;
  AttentionOutputs outputs;
  const Status status = scaledDotProductAttention(q, q, v, options, outputs, arena);
  CHECK(status.code() == ErrorCode::kOutOfMemory);
  CHECK(std::string(status.argument()) == "options.weights");
}

TEST_CASE("packed sequences have three axes, whoever asks", "[plan]") {
  Random random(32);
  Owned<float> plane = normal(random, {3, 4}), four = normal(random, {3, 2, 4, 1});
  AttentionOptions options;
  options.layout = Layout::kTHD;
  Arena arena;
  for (Owned<float>* x : {&plane, &four}) {
    AttentionOutputs outputs;
    Output map;
    CHECK(scaledDotProductAttention(x->view(), x->view(), x->view(), options, outputs, arena).code() ==
          ErrorCode::kShapeMismatch);
    CHECK(attentionMap(x->view(), x->view(), options, {}, map, arena).code() == ErrorCode::kShapeMismatch);
    TensorView heads;
    CHECK(planCacheRows("k", x->view(), Layout::kTHD, 0, &heads).code() == ErrorCode::kShapeMismatch);
  }
}

}  // namespace attention::test
