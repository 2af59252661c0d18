// Calls on the wire: the descriptor filled with whatever the bytes say, through the bindings as they are.
// Kept is only what TypeScript sees to: that there is memory behind a tensor, of a known type and at most 8
// axes, and that lists are int32.
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "../../cpp/bindings/bindings.cpp"  // NOLINT(bugprone-suspicious-include)
#include "../../cpp/bindings/call.cpp"      // NOLINT(bugprone-suspicious-include)
#include "case.hpp"
#include "refusal.hpp"

namespace attention::wire {
namespace {

using test::Random;

/// Sizes and numbers as users give them, and some that only a mistake or an attack does.
uint32_t anySize(Random& random) {
  if (!random.chance(0.05)) return static_cast<uint32_t>(random.between(0, 9));
  return std::array{64U, 65U, 4096U, 0x10000U, 0x7fffffffU, 0x80000000U, 0xffffffffU}[random.between(0, 6)];
}

int32_t anyInteger(Random& random) {
  if (random.chance(0.1)) return std::array{INT32_MIN, INT32_MAX, -2, 1000}[random.between(0, 3)];
  return static_cast<int32_t>(random.between(0, 11)) - 2;
}

double anyNumber(Random& random) {
  constexpr std::array odd{0.0,  -0.0,    -1.0,     1e-300, 1e300, std::numeric_limits<double>::infinity(),
                           1e-6, 10000.0, -10000.0, 0.5};
  const size_t kind = random.between(0, 15);
  return kind < odd.size() ? odd[kind] : std::numeric_limits<double>::quiet_NaN();
}

class Caller {
 public:
  explicit Caller(Random& random) : random_(random) {}

  void fill() {
    for (double& number : call.numbers) number = anyNumber(random_);
    for (size_t slot = 0; slot < kInputs; ++slot) fillTensor(call.inputs[slot], slot);
    for (Tensor& tensor : call.outputs) tensor = {};
    fillOutput(call.outputs[0]);
    for (int32_t& integer : call.integers) integer = anyInteger(random_);
  }

  /// Some rows for a cache [1,2,·].
  void fillRows(uint32_t headDim, uint32_t valueDim) {
    call = {};
    const auto count = static_cast<uint32_t>(random_.between(1, 9));
    for (size_t slot = 0; slot < 2; ++slot) {
      const uint32_t size = slot == 0 ? headDim : valueDim;
      call.inputs[kOperands + slot] = {kPresent, 0, 0, 4, {1, 2, count, size}};
      place(call.inputs[kOperands + slot], nullptr, size_t{8} * count * size);
    }
  }

  /// An operand that is a list of integers.
  void makeList(size_t slot) {
    Tensor& tensor = call.inputs[slot];
    if (tensor.state == kAbsent) return;
    tensor = {
        kPresent, 0, static_cast<uint32_t>(DType::kInt32), 1, {static_cast<uint32_t>(random_.between(0, 5))}};
    std::vector<int32_t> values(tensor.dims[0]);
    for (int32_t& value : values) value = anyInteger(random_);
    place(tensor, values.data(), values.size() * sizeof(int32_t));
  }

  /// One that must be there.
  void require(size_t slot) {
    Tensor& tensor = call.inputs[slot];
    while (tensor.state == kAbsent) {
      tensor = {kPresent, 0, 0, 2, {2, 3}};
      place(tensor, nullptr, 6 * sizeof(float));
    }
  }

 private:
  static bool isList(size_t slot) { return slot == kQueryOffsets || slot == kKvLengths || slot == kBlockMap; }

  void fillTensor(Tensor& tensor, size_t slot) {
    tensor = {};
    // Options are seldom given all at once.
    if (slot < kOperands && random_.chance(0.8)) return;
    if (random_.chance(slot < kOperands + 3 ? 0.02 : 0.4)) return;
    tensor.state = kPresent;
    if (isList(slot)) return makeList(slot);
    tensor.dtype = static_cast<uint32_t>(random_.chance(0.7) ? 0 : random_.between(0, 6));
    tensor.rank = static_cast<uint32_t>(random_.chance(0.8) ? random_.between(1, 4) : random_.between(0, 8));
    const auto dtype = static_cast<DType>(tensor.dtype);
    if (isPanels(dtype)) tensor.rank = 2;
    for (uint32_t axis = 0; axis < tensor.rank; ++axis) tensor.dims[axis] = anySize(random_);
    // Most problems are of a few sizes, so that some fit.
    if (random_.chance(0.8)) {
      for (uint32_t axis = 0; axis < tensor.rank; ++axis) tensor.dims[axis] = common_[axis + 8 - tensor.rank];
    }
    const std::optional<size_t> count = elements(tensor);
    if (!count || *count > (size_t{1} << 14)) {
      tensor = {};
      return;
    }
    place(tensor, nullptr, *count * (isPanels(dtype) ? sizeof(float) : byteSize(dtype)));
  }

  void fillOutput(Tensor& tensor) {
    const size_t kind = random_.between(0, 7);
    if (kind == 0) tensor = {kOfLength, 0, 0, 1, {anySize(random_)}};
    if (kind != 1) return;
    tensor = {kPresent, 0, 0, 3, {common_[5], common_[6], common_[7]}};
    place(tensor, nullptr, size_t{4} * common_[5] * common_[6] * common_[7]);
  }

  static std::optional<size_t> elements(const Tensor& tensor) {
    const auto dtype = static_cast<DType>(tensor.dtype);
    if (isPanels(dtype)) return PanelSizes{tensor.dims[0], tensor.dims[1], dtype}.floats();
    std::array<size_t, 8> dims{};
    std::copy_n(tensor.dims, tensor.rank, dims.begin());
    return checkedProduct({dims.data(), tensor.rank});
  }

  /// Memory of exactly that size, aligned as TypeScript's is.
  void place(Tensor& tensor, const void* values, size_t bytes) {
    memory_.emplace_back(std::make_unique<double[]>((bytes + 7) / 8));
    auto* begin = reinterpret_cast<std::byte*>(memory_.back().get());
    // The end is where reading on is seen: sizes here are rarely whole doubles.
    begin += ((bytes + 7) / 8 * 8 - bytes) / 4 * 4;
    if (values != nullptr) {
      if (bytes != 0) std::memcpy(begin, values, bytes);
    } else {
      auto& generator = random_.generator();
      for (size_t i = 0; i < bytes; ++i) begin[i] = static_cast<std::byte>(generator());
    }
    tensor.data = reinterpret_cast<uint32_t>(begin);
  }

  Random& random_;
  std::array<uint32_t, 8> common_ = [&] {
    std::array<uint32_t, 8> sizes{};
    for (uint32_t& size : sizes) size = static_cast<uint32_t>(random_.between(1, 4));
    return sizes;
  }();
  std::vector<std::unique_ptr<double[]>> memory_;
};

/// What a call gives can be read to its last number.
void readResults() {
  volatile float sum = 0;
  for (const Tensor& tensor : call.outputs) {
    if (tensor.data == 0) continue;
    const TensorView result = view(tensor);
    for (size_t i = 0; i < result.count(); ++i) sum = sum + result.floats()[i];
  }
}

using Function = int (*)(Random&);

const std::array<Function, 28> functions{
    [](Random&) { return attention(); },
    [](Random&) { return variableLength(); },
    [](Random&) { return projected(); },
    [](Random&) { return cacheAppend(); },
    [](Random&) { return cacheAttend(); },
    [](Random&) { return mapLayer(); },
    [](Random&) { return linearAttentionLayer(); },
    [](Random&) { return toFloat32Layer(); },
    [](Random& r) { return softmaxLayer(anyInteger(r)); },
    [](Random& r) { return layerNormLayer(anyInteger(r), static_cast<float>(anyNumber(r))); },
    [](Random& r) { return rmsNormLayer(anyInteger(r), static_cast<float>(anyNumber(r))); },
    [](Random& r) { return activationLayer(static_cast<int>(r.between(0, 6))); },
    [](Random& r) { return binaryLayer(static_cast<int>(r.between(0, 1))); },
    [](Random&) { return linearLayer(); },
    [](Random& r) {
      return packPanelsLayer(anySize(r), anySize(r), static_cast<int>(r.between(5, 6)), anySize(r));
    },
    [](Random&) { return embeddingLayer(); },
    [](Random& r) { return feedForwardLayer(static_cast<int>(r.between(0, 4))); },
    [](Random& r) {
      // Sinusoids of many positions are right, and take minutes.
      const auto length = static_cast<uint32_t>(r.between(0, 9));
      return positionsLayer(length, anySize(r), anyNumber(r), anyNumber(r));
    },
    [](Random&) { return rotaryLayer(); },
    [](Random& r) {
      return rolloutLayer(static_cast<int>(r.between(0, 2)), static_cast<int>(r.between(0, 1)));
    },
    [](Random&) { return reorderCache(static_cast<uint32_t>(own(0))); },
    [](Random&) { return readCache(static_cast<uint32_t>(own(0))); },
    [](Random&) { return saveCache(static_cast<uint32_t>(own(0))); },
    [](Random& r) { return truncateCache(static_cast<uint32_t>(own(0)), anySize(r)); },
    [](Random&) { return loadCache(static_cast<uint32_t>(own(0))); },
    [](Random& r) { return l2NormalizeLayer(anyInteger(r), anyNumber(r)); },
    [](Random& r) { return concatLayer(static_cast<uint32_t>(r.between(1, 3)), anyInteger(r)); },
    [](Random& r) {
      // What TypeScript checks: a range within the axis, or none where there is no such axis.
      const int axis = anyInteger(r);
      const TensorView x = view(call.inputs[kOperands]);
      const int at = axis < 0 ? axis + x.rank() : axis;
      const size_t size = at >= 0 && at < x.rank() ? x.shape[at] : 0;
      const auto end = static_cast<uint32_t>(r.between(0, size));
      return sliceLayer(axis, static_cast<uint32_t>(r.between(0, end)), end);
    },
};
/// Of these the cache is their own integer, and the first operand of one a list.
constexpr bool isOfCache(size_t which) { return (which >= 2 && which <= 4) || (which >= 20 && which <= 24); }

/// Results in memory of their own, which are released as JavaScript does.
int runKept(size_t which, Random& random) {
  for (Tensor& tensor : call.outputs) tensor = {kKept, 0, 0, 0, {}};
  const int code = functions[which](random);
  if (code != 0) return code;
  readResults();
  for (const Tensor& tensor : call.outputs) release(tensor.data);
  for (Tensor& tensor : call.outputs) tensor = {};
  return 0;
}

void use(Random& random) {
  const size_t first = random.between(0, functions.size() - 1);
  // What TypeScript checks of a cache.
  const uint32_t dtype = static_cast<uint32_t>(random.between(0, 2));
  const uint32_t window = random.chance(0.5) ? 0 : static_cast<uint32_t>(random.between(1, 5));
  const auto headDim = static_cast<uint32_t>(random.between(1, 4));
  const uint32_t cache = createCache(1, 2, headDim, 3, window + static_cast<uint32_t>(random.between(1, 40)),
                                     window, 0, static_cast<int>(dtype));
  if (isOfCache(first) && random.chance(0.8)) {
    Caller caller(random);
    caller.fillRows(headDim, 3);
    call.integers[kOwn] = static_cast<int32_t>(cache);
    if (cacheAppend() == 0) REQUIRE(cacheLength(cache) > 0);
    finishCall();
  }
  for (size_t calls = 0; calls < 3; ++calls) {
    // In the life of a cache one thing follows another.
    const size_t which = isOfCache(first) && calls > 0
                             ? std::array<size_t, 8>{2, 3, 4, 20, 21, 22, 23, 24}[random.between(0, 7)]
                             : first;
    Caller caller(random);
    caller.fill();
    for (size_t operand = 0; operand < 3; ++operand) caller.require(kOperands + operand);
    if (which == 1) {
      caller.makeList(kOperands + 3);
      caller.makeList(kOperands + 4);
    }
    if (which == 18) caller.makeList(kOperands + 1);
    if (which == 20) caller.makeList(kOperands);
    if (which == 22) call.outputs[0] = {};  // a cache's bytes go where they find room
    if (isOfCache(which))
      call.integers[kOwn] = static_cast<int32_t>(which == 2 && random.chance(0.5) ? 0 : cache);
    int code = 0;
    if (random.chance(0.3) && which != 3 && which < 20) {
      const auto items = static_cast<uint32_t>(random.between(1, 6));
      do {
        nextPart(items);
        code = functions[which](random);
      } while (code == 0 && itemsDone() < itemsInAll() && !random.chance(0.1));
      if (itemsDone() < itemsInAll()) code = -1;  // given up
    } else if (!isOfCache(which) && random.chance(0.3)) {
      code = runKept(which, random);
    } else {
      code = functions[which](random);
    }
    if (code == 0) readResults();
    if (code > 0) test::requireSaysWhy(last);
    finishCall();
  }
  REQUIRE(cacheLength(cache) <= 10000);
  releaseCache(forkCache(cache));
  releaseCache(cache);
}

}  // namespace
}  // namespace attention::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  attention::test::Random random(std::span(data, size));
  attention::wire::use(random);
  return 0;
}
