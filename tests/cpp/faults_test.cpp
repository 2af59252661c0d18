// Memory that runs out: each allocation of each operation fails once. The call says OUT_OF_MEMORY, nothing
// leaks (AddressSanitizer looks), and the same call then gives what it would have given.
#include "faults.hpp"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string>

#include "runtime/parts.hpp"
#include "runtime/threads.hpp"

namespace attention::test {
namespace {

struct Crew {
  Crew() { REQUIRE(startThreads(3)); }
  ~Crew() { stopThreads(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
};
struct PartsOfACall {
  ~PartsOfACall() { parts.end(); }
};

/// Inputs of every operation, and the operations.
struct World {
  Random random{7};
  Owned<float> q = normal(random, {2, 4, 70, 8}), k = normal(random, {2, 2, 150, 8}),
               v = normal(random, {2, 2, 150, 5});
  Owned<float> packedQ = normal(random, {9, 4, 8}), packedK = normal(random, {7, 2, 8});
  Owned<float> x = normal(random, {5, 16}), weight = normal(random, {16, 16}), bias = normal(random, {16});
  Owned<float> heads = normal(random, {2, 5, 5});
  Owned<uint16_t> halves{{4, 4}, std::vector<uint16_t>(16, 0x3c00)};
  Owned<uint16_t> halfKeys{{2, 2, 150, 8}, std::vector<uint16_t>(size_t{2} * 2 * 150 * 8, 0x3555)};
  Owned<int8_t> integers{{2, 2, 150, 8}, std::vector<int8_t>(size_t{2} * 2 * 150 * 8, 5)};
  Owned<float> scales = normal(random, {2, 2, 150});
  Owned<int32_t> ids{{3}, {0, 4, 2}};
  std::vector<int32_t> queryStarts{0, 4, 9}, keyStarts{0, 7, 7};

  std::map<std::string, Operation> operations() {
    return {
        {"attention",
         [this](Results& r) {
           return r.attend([&](AttentionOutputs& out) {
             return scaledDotProductAttention(q.view(), k.view(), v.view(), everyOutput(), out, r.arena);
           });
         }},
        {"one query",
         [this](Results& r) {
           TensorView first = q.view();
           first.shape[2] = 1;
           return r.attend([&](AttentionOutputs& out) {
             return scaledDotProductAttention(TensorView::contiguous(first.data, first.dtype, first.shape),
                                              k.view(), v.view(), everyOutput(Causal::kLowerRight), out,
                                              r.arena);
           });
         }},
        {"attention on three threads",
         [this](Results& r) {
           const Crew crew;
           return r.attend([&](AttentionOutputs& out) {
             return scaledDotProductAttention(q.view(), k.view(), v.view(), everyOutput(), out, r.arena);
           });
         }},
        {"attention in parts",
         [this](Results& r) {
           const PartsOfACall ended;
           const Arena::Mark start = r.arena.mark();
           Status status;
           do {
             r.arena.rewind(start);
             r.numbers.clear();
             parts.begin(7);
             status = r.attend([&](AttentionOutputs& out) {
               return scaledDotProductAttention(q.view(), k.view(), v.view(), everyOutput(), out, r.arena);
             });
           } while (status.ok() && !parts.isWhole());
           return status;
         }},
        {"stored keys and values",
         [this](Results& r) {
           AttentionOptions options = everyOutput(Causal::kLowerRight);
           options.keyScales = scales.view();
           return r.attend([&](AttentionOutputs& out) {
             return scaledDotProductAttention(q.view(), integers.view(), halfKeys.view(), options, out,
                                              r.arena);
           });
         }},
        {"packed sequences",
         [this](Results& r) {
           AttentionOptions packed = everyOutput(Causal::kTrue);
           packed.weights = Stage::kNone;
           return r.attend([&](AttentionOutputs& out) {
             return variableLengthAttention(packedQ.view(), packedK.view(), packedK.view(), queryStarts,
                                            keyStarts, packed, out, r.arena);
           });
         }},
        {"map",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return attentionMap(q.view(), k.view(), {}, {.mapRows = 9, .mapColumns = 7}, out, r.arena);
           });
         }},
        {"linear attention",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return linearAttention(q.view(), k.view(), v.view(), {}, FeatureMap::kRelu, out, r.arena);
           });
         }},
        {"projections",
         [this](Results& r) {
           const ProjectionWeights weights{weight.view(), weight.view(), weight.view(), weight.view()};
           return r.attend([&](AttentionOutputs& out) {
             return projectedAttention({x.view()}, weights, everyOutput(), out, r.arena);
           });
         }},
        {"softmax",
         [this](Results& r) {
           return r.one([&](Output& out) { return softmax(x.view(), 0, out, r.arena); });
         }},
        {"layerNorm",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return layerNorm(x.view(), bias.view(), bias.view(), -1, 1e-5f, out, r.arena);
           });
         }},
        {"rmsNorm",
         [this](Results& r) {
           return r.one([&](Output& out) { return rmsNorm(x.view(), bias.view(), -1, 1e-5f, out, r.arena); });
         }},
        {"activation",
         [this](Results& r) {
           return r.one([&](Output& out) { return activation(Activation::kGelu, x.view(), out, r.arena); });
         }},
        {"binary",
         [this](Results& r) {
           return r.one(
               [&](Output& out) { return binary(Binary::kAdd, x.view(), bias.view(), out, r.arena); });
         }},
        {"l2Normalize",
         [this](Results& r) {
           return r.one([&](Output& out) { return l2Normalize(x.view(), -1, 1e-12, out, r.arena); });
         }},
        {"concat",
         [this](Results& r) {
           const TensorView both[] = {x.view(), x.view()};
           return r.one([&](Output& out) { return concat(both, -1, out, r.arena); });
         }},
        {"slice",
         [this](Results& r) {
           return r.one([&](Output& out) { return slice(x.view(), -1, {0, 1}, out, r.arena); });
         }},
        {"linear",
         [this](Results& r) {
           return r.one(
               [&](Output& out) { return linear(x.view(), weight.view(), bias.view(), out, r.arena); });
         }},
        {"panels",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return packPanels(weight.view(), {16, 16, DType::kPanels8}, 0, out, r.arena);
           });
         }},
        {"feedForward",
         [this](Results& r) {
           const FeedForwardWeights weights{weight.view(), weight.view(), weight.view()};
           return r.one(
               [&](Output& out) { return feedForward(x.view(), weights, Activation::kSilu, out, r.arena); });
         }},
        {"embedding",
         [this](Results& r) {
           return r.one([&](Output& out) { return embedding(ids.view(), weight.view(), out, r.arena); });
         }},
        {"sinusoidalPositions",
         [](Results& r) {
           return r.one([&](Output& out) { return sinusoidalPositions(5, 8, 0, 10000, out, r.arena); });
         }},
        {"rotaryEmbedding",
         [this](Results& r) {
           return r.one([&](Output& out) { return rotaryEmbedding(q.view(), {}, out, r.arena); });
         }},
        {"rolloutStep",
         [this](Results& r) {
           return r.one([&](Output& out) {
             return rolloutStep(heads.view(), std::nullopt, HeadFusion::kMean, true, out, r.arena);
           });
         }},
        {"toFloat32",
         [this](Results& r) {
           return r.one([&](Output& out) { return toFloat32(halves.view(), out, r.arena); });
         }},
    };
  }
};

}  // namespace

TEST_CASE("each allocation of each operation fails once", "[faults]") {
  World world;
  size_t tried = 0;
  for (const auto& [name, operation] : world.operations()) {
    INFO(name);
    Numbers wanted, got;
    REQUIRE(attempt(operation, SIZE_MAX, &wanted).ok());
    const size_t all = faults.allocations;
    REQUIRE(all > 0);
    REQUIRE(!wanted.empty());
    for (size_t n = 1; n <= all; ++n, ++tried) {
      INFO("allocation " << n << " of " << all);
      const Status status = attempt(operation, n, &got);
      REQUIRE(status.code() == ErrorCode::kOutOfMemory);
      REQUIRE(Message::latest()[0] != '\0');
      REQUIRE(attempt(operation, SIZE_MAX, &got).ok());
      REQUIRE(same(got, wanted));
    }
  }
  CHECK(tried >= 141);  // docs/reliability.md
  WARN(tried << " faults in " << world.operations().size() << " operations");
}

}  // namespace attention::test
