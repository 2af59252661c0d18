#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <vector>

#include "attention/attention.hpp"
#include "case.hpp"

namespace attention::test {

/// What faults.cpp makes of the core's allocations: how many there were since the count began, the largest of
/// them, and which one fails.
struct Faults {
  size_t allocations = 0, largest = 0, failing = SIZE_MAX;
};
extern Faults faults;

/// What a call gave, number by number.
using Numbers = std::vector<float>;

struct Results {
  Arena& arena;
  Numbers numbers;

  Status take(const Status& status, std::initializer_list<const Output*> outputs) {
    if (!status.ok()) return status;
    for (const Output* output : outputs) {
      if (output->view().data == nullptr) continue;
      numbers.insert(numbers.end(), output->floats(), output->floats() + output->view().count());
    }
    return status;
  }
  Status one(const std::function<Status(Output&)>& call) {
    Output out;
    return take(call(out), {&out});
  }
  Status attend(const std::function<Status(AttentionOutputs&)>& call) {
    AttentionOutputs outputs;
    return take(call(outputs), {&outputs.output, &outputs.weights, &outputs.logSumExp});
  }
};

using Operation = std::function<Status(Results&)>;

/// One run with the `n`th allocation failing; SIZE_MAX: none.
inline Status attempt(const Operation& operation, size_t n, Numbers* numbers) {
  Arena arena;
  Results results{arena, {}};
  faults.allocations = 0;
  faults.failing = n;
  const Status status = operation(results);
  faults.failing = SIZE_MAX;
  *numbers = results.numbers;
  return status;
}

inline bool same(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

inline AttentionOptions everyOutput(Causal causal = Causal::kNone) {
  AttentionOptions options;
  options.causal = causal;
  options.weights = Stage::kProbabilities;
  options.logSumExp = true;
  return options;
}

}  // namespace attention::test
