#include "runtime/threads.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <span>
#include <thread>
#include <vector>

#include "attention_case.hpp"

namespace attention::test {
namespace {

/// Threads for one test.
struct Threads {
  explicit Threads(size_t count) { REQUIRE(startThreads(count)); }
  ~Threads() { stopThreads(); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
};

/// How often each of the items was run.
std::vector<int> runsOf(size_t items) {
  std::vector<int> runs(items);
  inParallel(items, [&](size_t item, size_t) { ++runs[item]; });
  return runs;
}

/// Output, weights and log-sum-exp of a call, as bytes: NaN, too, is to be the same.
std::vector<std::byte> bytesOf(AttentionCase& attention) {
  Arena arena;
  AttentionOutputs outputs;
  REQUIRE(scaledDotProductAttention(attention.q.view(), attention.k.view(), attention.v.view(),
                                    attention.options, outputs, arena)
              .ok());
  std::vector<std::byte> bytes;
  for (const Output* output : {&outputs.output, &outputs.weights, &outputs.logSumExp}) {
    const auto part =
        std::as_bytes(std::span(output->floats(), *checkedProduct(output->view().shape.dims())));
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

}  // namespace

TEST_CASE("attention has the same bits on any number of threads", "[threads]") {
  Random random(4);
  for (const Sizes& sizes :
       {Sizes{2, 4, 2, 250, 150, 12, 20}, Sizes{1, 1, 1, 400, 90, 8, 8}, Sizes{3, 2, 1, 1, 300, 16, 4}}) {
    AttentionCase attention = makeCase(random, sizes);
    attention.options.causal = Causal::kLowerRight;
    attention.options.weights = Stage::kProbabilities;
    attention.options.logSumExp = true;
    const std::vector<std::byte> alone = bytesOf(attention);
    for (const size_t count : {2U, 3U}) {
      const Threads threads(count);
      for (int call = 0; call < 3; ++call) CHECK(bytesOf(attention) == alone);
    }
  }
}

TEST_CASE("every item is run once", "[threads]") {
  const auto count = GENERATE(size_t{1}, 2U, 3U, 8U);
  const Threads threads(count);
  CHECK(threadCount() == count);
  for (const size_t items : {0U, 1U, 2U, 3U, 7U, 100U, 5000U})
    CHECK(runsOf(items) == std::vector<int>(items, 1));
}

TEST_CASE("each thread has a scratch of its own", "[threads]") {
  const Threads threads(4);
  std::vector<std::atomic<int>> inUse(threadCount());
  std::atomic<int> met = 0;
  for (int call = 0; call < 200; ++call) {
    inParallel(64, [&](size_t, size_t thread) {
      if (inUse.at(thread)++ != 0) ++met;
      std::this_thread::yield();
      --inUse[thread];
    });
  }
  CHECK(met == 0);
}

TEST_CASE("two threads meet over two items", "[threads]") {
  const Threads threads(2);
  std::atomic<int> arrived = 0;
  // Ends only if both items are under way at once.
  inParallel(2, [&](size_t, size_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  CHECK(arrived == 2);
}

TEST_CASE("what threads wrote is there after the call", "[threads]") {
  const Threads threads(3);
  std::vector<double> values(512);
  // Short calls in a row meet threads that are asleep, awake, or just leaving.
  for (int call = 0; call < 3000; ++call) {
    const auto valueOf = [call](size_t item) { return std::sqrt(call + static_cast<double>(item)); };
    inParallel(values.size(), [&](size_t item, size_t) { values[item] = valueOf(item); });
    bool all = true;
    for (size_t item = 0; item < values.size(); ++item) all &= values[item] == valueOf(item);
    REQUIRE(all);
  }
}

TEST_CASE("a call within an item, or beside another, does its own work", "[threads]") {
  const Threads threads(3);
  std::vector<int> sums(20);
  inParallel(sums.size(), [&](size_t item, size_t) {
    inParallel(5, [&](size_t inner, size_t thread) { sums[item] += static_cast<int>(inner + thread); });
  });
  CHECK(sums == std::vector<int>(20, 10));

  std::atomic<int> wrong = 0;
  const auto call = [&] {
    for (int n = 0; n < 500; ++n) wrong += runsOf(40) != std::vector<int>(40, 1);
  };
  std::thread other(call);
  call();
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads are started once, in a number that makes sense", "[threads]") {
  CHECK(threadCount() == 1);
  CHECK_FALSE(startThreads(0));
  CHECK_FALSE(startThreads(kMostThreads + 1));
  {
    const Threads threads(2);
    CHECK_FALSE(startThreads(3));
    CHECK(threadCount() == 2);
  }
  CHECK(threadCount() == 1);
  for (int n = 0; n < 50; ++n) const Threads threads(3);  // and ended before they have begun
  CHECK(runsOf(3) == std::vector<int>(3, 1));
}

}  // namespace attention::test
