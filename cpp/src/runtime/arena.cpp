#include "attention/arena.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>

#include "attention/tensor.hpp"

namespace attention {

namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kKept = size_t{1} << 20;
constexpr size_t kSmallest = size_t{64} << 10;
}  // namespace

struct alignas(kAlignment) Arena::Block {
  Block* older;
  size_t capacity;
  size_t used;

  std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
};

void* Arena::allocate(size_t bytes) {
  if (bytes > kLargestBlock) return nullptr;
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (newest_ == nullptr || newest_->capacity - newest_->used < rounded) {
    const size_t capacity = std::max(rounded, kSmallest);
    void* memory = std::aligned_alloc(kAlignment, sizeof(Block) + capacity);
    if (memory == nullptr) return nullptr;
    newest_ = new (memory) Block{newest_, capacity, 0};
  }
  void* start = newest_->bytes() + newest_->used;
  newest_->used += rounded;
  inUse_ += rounded;
  highWater_ = std::max(highWater_, inUse_);
  return start;
}

float* Arena::floats(std::initializer_list<size_t> factors) {
  const std::optional<size_t> count = checkedProduct({factors.begin(), factors.size()});
  if (!count || *count > SIZE_MAX / sizeof(float)) return nullptr;
  return static_cast<float*>(allocate(*count * sizeof(float)));
}

void Arena::reset() {
  Block* kept = nullptr;
  for (Block* block = newest_; block != nullptr; block = block->older) {
    if (block->capacity <= kKept && (kept == nullptr || block->capacity > kept->capacity)) kept = block;
  }
  while (newest_ != nullptr) {
    Block* older = newest_->older;
    if (newest_ != kept) std::free(newest_);
    newest_ = older;
  }
  newest_ = kept;
  if (kept != nullptr) {
    kept->older = nullptr;
    kept->used = 0;
  }
  inUse_ = 0;
}

Arena::~Arena() {
  while (newest_ != nullptr) {
    Block* older = newest_->older;
    std::free(newest_);
    newest_ = older;
  }
}

}  // namespace attention
