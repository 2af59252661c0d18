#include "attention/arena.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "attention/tensor.hpp"

#ifdef ATTENTION_SEPARATE_BLOCKS
#include <sanitizer/asan_interface.h>
#endif

namespace attention {

namespace {
constexpr size_t kAlignment = 64;
#ifdef ATTENTION_SEPARATE_BLOCKS  // so that sanitizers see each step beyond an allocation, and each may fail
constexpr size_t kKept = 0, kSmallest = 0;
void fence(std::byte* start, size_t bytes, size_t rounded) {
  ASAN_UNPOISON_MEMORY_REGION(start, rounded);
  ASAN_POISON_MEMORY_REGION(start + bytes, rounded - bytes);
}
#else
constexpr size_t kKept = size_t{1} << 20, kSmallest = size_t{64} << 10;
void fence(std::byte* /*start*/, size_t /*bytes*/, size_t /*rounded*/) {}
#endif
}  // namespace

struct alignas(kAlignment) Arena::Block {
  Block* next;
  size_t capacity;
  size_t used;

  std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }

  static void release(Block* block) {
    while (block != nullptr) std::free(std::exchange(block, block->next));
  }
};

void* Arena::allocate(size_t bytes) {
  if (bytes > kLargestBlock) return nullptr;
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (current_ == nullptr || current_->capacity - current_->used < rounded) {
    Block* block = nextBlock(std::max(rounded, kSmallest));
    if (block == nullptr) return nullptr;
    current_ = block;
  }
  std::byte* start = current_->bytes() + current_->used;
  fence(start, bytes, rounded);
  current_->used += rounded;
  inUse_ += rounded;
  highWater_ = std::max(highWater_, inUse_);
  return start;
}

/// Behind the current one: what a rewind left there, where it is what an allocation left then.
Arena::Block* Arena::nextBlock(size_t capacity) {
  Block*& next = current_ == nullptr ? first_ : current_->next;
  if (next == nullptr || next->capacity < capacity) {
    Block::release(std::exchange(next, nullptr));
    void* memory = std::aligned_alloc(kAlignment, sizeof(Block) + capacity);
    if (memory == nullptr) return nullptr;
    next = new (memory) Block{nullptr, capacity, 0};
  }
  next->used = 0;
  return next;
}

Arena::Mark Arena::mark() const { return {current_, current_ == nullptr ? 0 : current_->used, inUse_}; }

void Arena::rewind(const Mark& mark) {
  current_ = mark.block;
  if (current_ != nullptr) current_->used = mark.used;
  inUse_ = mark.inUse;
}

float* Arena::floats(std::initializer_list<size_t> factors) {
  return static_cast<float*>(values(factors, sizeof(float)));
}

double* Arena::doubles(std::initializer_list<size_t> factors) {
  return static_cast<double*>(values(factors, sizeof(double)));
}

void* Arena::values(std::initializer_list<size_t> factors, size_t bytesEach) {
  const std::optional<size_t> count = checkedProduct({factors.begin(), factors.size()});
  return count && *count <= SIZE_MAX / bytesEach ? allocate(*count * bytesEach) : nullptr;
}

void Arena::reset() {
  Block* kept = nullptr;
  for (Block* block = first_; block != nullptr; block = block->next) {
    if (block->capacity <= kKept && (kept == nullptr || block->capacity > kept->capacity)) kept = block;
  }
  while (first_ != nullptr) {
    Block* next = first_->next;
    if (first_ != kept) std::free(first_);
    first_ = next;
  }
  first_ = current_ = kept;
  if (kept != nullptr) {
    kept->next = nullptr;
    kept->used = 0;
  }
  inUse_ = 0;
}

Arena::~Arena() { Block::release(first_); }

}  // namespace attention
