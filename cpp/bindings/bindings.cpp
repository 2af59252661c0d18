#include <emscripten/bind.h>

#include <cstdlib>

#include "../src/runtime/parts.hpp"
#include "../src/runtime/threads.hpp"
#include "call.hpp"

/// Turns calls on the wire into calls of the core; no arithmetic here. Every function returns an ErrorCode.
namespace attention::wire {
namespace {

KvCache* cacheAt(uint32_t address) { return static_cast<KvCache*>(at(address)); }

/// The cache that the call under way appends to.
KvCache* appending = nullptr;

KvCache* appendingTo(uint32_t address) { return appending = cacheAt(address); }

int finish(const Status& status, AttentionOutputs& outputs) {
  if (!status.ok()) {
    for (Output* one : {&outputs.output, &outputs.weights, &outputs.logSumExp}) one->discard();
    return refuse(status);
  }
  if (!parts.isWhole()) return 0;
  show(outputs.output, call.outputs[0]);
  show(outputs.weights, call.outputs[1]);
  show(outputs.logSumExp, call.outputs[2]);
  return 0;
}

/// Keys and values are the operands 1 and 2 of q, k and v.
int attention() {
  if (const Status status = enter(1, 3); !status.ok()) return refuse(status);
  AttentionOutputs outputs = attentionOutputs();
  const Status status =
      scaledDotProductAttention(operand(0), operand(1), operand(2), attentionOptions(), outputs, arena);
  return finish(status, outputs);
}

int variableLength() {
  if (const Status status = enter(1, 3); !status.ok()) return refuse(status);
  AttentionOutputs outputs = attentionOutputs();
  const Status status = variableLengthAttention(
      operand(0), operand(1), operand(2), integerList(kOperands + 3).value_or(std::span<const int32_t>()),
      integerList(kOperands + 4).value_or(std::span<const int32_t>()), attentionOptions(), outputs, arena);
  return finish(status, outputs);
}

int projected() {
  if (const Status status = enter(); !status.ok()) return refuse(status);
  const ProjectionWeights weights{operand(3),         operand(4),         operand(5),
                                  optionalOperand(6), optionalOperand(7), optionalOperand(8),
                                  optionalOperand(9), optionalOperand(10)};
  AttentionOutputs outputs = attentionOutputs();
  const Status status = projectedAttention({operand(0), optionalOperand(1), optionalOperand(2)}, weights,
                                           attentionOptions(), outputs, arena, appendingTo(own(0)));
  return finish(status, outputs);
}

/// An address of createCache() or forkCache(); 0 where there is no memory.
uint32_t handleOf(std::unique_ptr<KvCache> cache) { return reinterpret_cast<uint32_t>(cache.release()); }

uint32_t createCache(uint32_t batch, uint32_t kvHeads, uint32_t headDim, uint32_t valueDim, uint32_t capacity,
                     uint32_t window, uint32_t sinkTokens, int dtype) {
  return handleOf(KvCache::create(
      {batch, kvHeads, headDim, valueDim, capacity, window, sinkTokens, static_cast<DType>(dtype)}));
}
uint32_t forkCache(uint32_t cache) { return handleOf(cacheAt(cache)->fork()); }
void releaseCache(uint32_t cache) { delete cacheAt(cache); }
uint32_t cacheLength(uint32_t cache) { return cacheAt(cache)->length(); }
double cacheBytes(uint32_t cache) { return static_cast<double>(cacheAt(cache)->byteLength()); }

/// Their own integer is the cache's address; packed heads follow it.
int cacheAppend() {
  if (const Status status = enter(); !status.ok()) return refuse(status);
  return refuse(cacheAt(own(0))->append(operand(0), operand(1), static_cast<Layout>(call.integers[kLayout]),
                                        static_cast<size_t>(own(1))));
}
int cacheAttend() {
  if (const Status status = enter(); !status.ok()) return refuse(status);
  AttentionOutputs outputs = attentionOutputs();
  const Status status = appendingTo(own(0))->attend(operand(0), optionalOperand(1), optionalOperand(2),
                                                    attentionOptions(), outputs, arena);
  return finish(status, outputs);
}
int truncateCache(uint32_t cache, uint32_t length) { return refuse(cacheAt(cache)->truncate(length)); }
int reorderCache(uint32_t cache) {
  return refuse(cacheAt(cache)->reorder(integerList(kOperands).value_or(std::span<const int32_t>())));
}
int loadCache(uint32_t cache) {
  const TensorView bytes = operand(0);
  return refuse(cacheAt(cache)->load({static_cast<const std::byte*>(bytes.data), bytes.count()}));
}

/// A layer with one output: `run` is called with it.
template <class Run>
int layer(Run run) {
  Output result = output();
  if (const Status status = run(result); !status.ok()) {
    result.discard();
    return refuse(status);
  }
  if (parts.isWhole()) show(result, call.outputs[0]);
  return 0;
}

template <class Run>
int floatLayer(Run run) {
  return layer([&](Output& out) {
    ATTENTION_RETURN_IF_ERROR(enter());
    return run(out);
  });
}

int toFloat32Layer() {
  return layer([](Output& out) { return toFloat32(operand(0), out, arena); });
}
int softmaxLayer(int axis) {
  return floatLayer([&](Output& out) { return softmax(operand(0), axis, out, arena); });
}
int layerNormLayer(int axis, float epsilon) {
  return floatLayer([&](Output& out) {
    return layerNorm(operand(0), optionalOperand(1), optionalOperand(2), axis, epsilon, out, arena);
  });
}
int rmsNormLayer(int axis, float epsilon) {
  return floatLayer(
      [&](Output& out) { return rmsNorm(operand(0), optionalOperand(1), axis, epsilon, out, arena); });
}
int activationLayer(int kind) {
  return floatLayer(
      [&](Output& out) { return activation(static_cast<Activation>(kind), operand(0), out, arena); });
}
int binaryLayer(int kind) {
  return floatLayer(
      [&](Output& out) { return binary(static_cast<Binary>(kind), operand(0), operand(1), out, arena); });
}
int l2NormalizeLayer(int axis, double epsilon) {
  return floatLayer([&](Output& out) { return l2Normalize(operand(0), axis, epsilon, out, arena); });
}
int concatLayer(uint32_t count, int axis) {
  return floatLayer([&](Output& out) {
    std::array<TensorView, kInputs - kOperands> tensors;
    for (size_t i = 0; i < count; ++i) tensors[i] = operand(i);
    return concat({tensors.data(), count}, axis, out, arena);
  });
}
int sliceLayer(int axis, uint32_t begin, uint32_t end) {
  return floatLayer([&](Output& out) { return slice(operand(0), axis, {begin, end}, out, arena); });
}
int linearLayer() {
  return floatLayer(
      [](Output& out) { return linear(operand(0), operand(1), optionalOperand(2), out, arena); });
}
int packPanelsLayer(uint32_t outputs, uint32_t inputs, int panels, uint32_t first) {
  const PanelSizes sizes{outputs, inputs, static_cast<DType>(panels)};
  return floatLayer([&](Output& out) { return packPanels(operand(0), sizes, first, out, arena); });
}
/// Of a weight [outputs,inputs]; 0 where they are more than memory has.
uint32_t panelSize(uint32_t outputs, uint32_t inputs, int panels) {
  return PanelSizes{outputs, inputs, static_cast<DType>(panels)}.floats().value_or(0);
}
int embeddingLayer() {
  return layer([](Output& out) { return embedding(operand(0), operand(1), out, arena); });
}
int feedForwardLayer(int activation) {
  return floatLayer([&](Output& out) {
    const FeedForwardWeights weights{operand(1),         operand(2),         optionalOperand(3),
                                     optionalOperand(4), optionalOperand(5), optionalOperand(6)};
    return feedForward(operand(0), weights, static_cast<Activation>(activation), out, arena);
  });
}
int positionsLayer(uint32_t length, uint32_t size, double offset, double base) {
  return layer([&](Output& out) { return sinusoidalPositions(length, size, offset, base, out, arena); });
}

int readCache(uint32_t cache) {
  AttentionOutputs outputs;
  return finish(cacheAt(cache)->read(outputs.output, outputs.weights, arena), outputs);
}
int saveCache(uint32_t cache) {
  return layer([&](Output& out) { return cacheAt(cache)->save(out, arena); });
}

/// Its own integers: rows, columns (start and end, -1: all), size, pool.
int mapLayer() {
  return layer([](Output& out) {
    ATTENTION_RETURN_IF_ERROR(enter(1, 2));
    const auto range = [](size_t first) -> std::optional<Range> {
      if (own(first) < 0) return std::nullopt;
      return Range{static_cast<size_t>(own(first)), static_cast<size_t>(own(first + 1))};
    };
    AttentionMapOptions map;
    map.rows = range(0);
    map.columns = range(2);
    map.mapRows = static_cast<size_t>(own(4));
    map.mapColumns = static_cast<size_t>(own(5));
    map.pool = static_cast<Pool>(own(6));
    map.logSumExp = optionalOperand(2);
    return attentionMap(operand(0), operand(1), attentionOptions(), map, out, arena);
  });
}

int linearAttentionLayer() {
  return floatLayer([](Output& out) {
    return linearAttention(operand(0), operand(1), operand(2), attentionOptions(),
                           static_cast<FeatureMap>(own(0)), out, arena);
  });
}

/// Its own integers: dims (0: all), interleaved, type of scaling; all numbers are its own.
int rotaryLayer() {
  return floatLayer([](Output& out) {
    const double* n = call.numbers;
    RotaryOptions options;
    options.layout = static_cast<Layout>(call.integers[kLayout]);
    options.numHeads = static_cast<size_t>(call.integers[kNumHeads]);
    options.positions = integerList(kOperands + 1);
    options.cos = optionalOperand(2);
    options.sin = optionalOperand(3);
    if (own(0) != 0) options.dims = static_cast<size_t>(own(0));
    options.interleaved = own(1) != 0;
    options.base = n[0];
    options.scaling = {static_cast<RopeScaling::Type>(own(2)), n[1], n[2], n[3], n[4], n[5], n[6], n[7]};
    return rotaryEmbedding(operand(0), options, out, arena);
  });
}

int rolloutLayer(int fusion, int residual) {
  return floatLayer([&](Output& out) {
    return rolloutStep(operand(0), optionalOperand(1), static_cast<HeadFusion>(fusion), residual != 0, out,
                       arena);
  });
}

float slopeOf(uint32_t head, uint32_t heads) { return alibiSlope(head, heads); }

uint32_t callAddress() { return reinterpret_cast<uint32_t>(&call); }
/// Room for the inputs of the next call; 0 where there is none.
uint32_t stage(uint32_t bytes) { return reinterpret_cast<uint32_t>(arena.allocate(bytes)); }
void finishCall() {
  if (parts.isUnderWay() && appending != nullptr) appending->end(0);  // nothing, unless it was given up
  appending = nullptr;
  parts.end();
  arena.reset();
}
/// The call that follows does so many items more of the same work. Until finishCall() it is made again and
/// again, and its results are there once all items are done.
void nextPart(uint32_t items) { parts.begin(items); }
/// Of the latest of them.
uint32_t itemsDone() { return parts.itemsDone(); }
uint32_t itemsInAll() { return parts.items(); }
/// The most bytes that one call has held.
uint32_t highWater() { return arena.highWater(); }
/// Memory of a resident tensor; 0 where there is none.
uint32_t allocate(uint32_t bytes) {
  return bytes > kLargestBlock ? 0 : reinterpret_cast<uint32_t>(std::malloc(bytes));
}
void release(uint32_t address) { std::free(at(address)); }
/// Addresses of text that ends with NUL: a string would have to be allocated, and memory may have run out.
uint32_t errorArgument() { return reinterpret_cast<uint32_t>(latestArgument()); }
uint32_t errorMessage() { return reinterpret_cast<uint32_t>(Message::latest()); }

bool isRelaxed() {
#if defined(__wasm_relaxed_simd__)
  return true;
#else
  return false;
#endif
}

EMSCRIPTEN_BINDINGS(attention) {
#ifndef ATTENTION_ONE_THREAD
  emscripten::function("startThreads", &startThreads);
#endif
  emscripten::function("isRelaxed", &isRelaxed);
  emscripten::function("callAddress", &callAddress);
  emscripten::function("stage", &stage);
  emscripten::function("finishCall", &finishCall);
  emscripten::function("nextPart", &nextPart);
  emscripten::function("itemsDone", &itemsDone);
  emscripten::function("itemsInAll", &itemsInAll);
  emscripten::function("highWater", &highWater);
  emscripten::function("allocate", &allocate);
  emscripten::function("release", &release);
  emscripten::function("errorArgument", &errorArgument);
  emscripten::function("errorMessage", &errorMessage);
  emscripten::function("attention", &attention);
  emscripten::function("variableLengthAttention", &variableLength);
  emscripten::function("projectedAttention", &projected);
  emscripten::function("createCache", &createCache);
  emscripten::function("forkCache", &forkCache);
  emscripten::function("releaseCache", &releaseCache);
  emscripten::function("cacheLength", &cacheLength);
  emscripten::function("cacheBytes", &cacheBytes);
  emscripten::function("cacheAppend", &cacheAppend);
  emscripten::function("cacheAttend", &cacheAttend);
  emscripten::function("truncateCache", &truncateCache);
  emscripten::function("reorderCache", &reorderCache);
  emscripten::function("readCache", &readCache);
  emscripten::function("saveCache", &saveCache);
  emscripten::function("loadCache", &loadCache);
  emscripten::function("attentionMap", &mapLayer);
  emscripten::function("linearAttention", &linearAttentionLayer);
  emscripten::function("toFloat32", &toFloat32Layer);
  emscripten::function("softmax", &softmaxLayer);
  emscripten::function("layerNorm", &layerNormLayer);
  emscripten::function("rmsNorm", &rmsNormLayer);
  emscripten::function("activation", &activationLayer);
  emscripten::function("binary", &binaryLayer);
  emscripten::function("l2Normalize", &l2NormalizeLayer);
  emscripten::function("concat", &concatLayer);
  emscripten::function("slice", &sliceLayer);
  emscripten::function("linear", &linearLayer);
  emscripten::function("packPanels", &packPanelsLayer);
  emscripten::function("panelFloats", &panelSize);
  emscripten::function("embedding", &embeddingLayer);
  emscripten::function("feedForward", &feedForwardLayer);
  emscripten::function("sinusoidalPositions", &positionsLayer);
  emscripten::function("rotaryEmbedding", &rotaryLayer);
  emscripten::function("rolloutStep", &rolloutLayer);
  emscripten::function("alibiSlope", &slopeOf);
}

}  // namespace
}  // namespace attention::wire
