#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace attention {

/// Allocators add headers and alignment to a size, which must not wrap around.
inline constexpr size_t kLargestBlock = SIZE_MAX - (size_t{64} << 10);

/// Memory of one call: allocations only add up, and reset() gives all of them back. One block of up to 1 MiB
/// is kept between calls, so that small calls never reach the system allocator.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `bytes` bytes aligned to 64, or nullptr where memory is exhausted.
  void* allocate(size_t bytes);

  /// Room for the product of `factors` values; nullptr also where its size overflows.
  float* floats(std::initializer_list<size_t> factors);
  double* doubles(std::initializer_list<size_t> factors);

  void reset();

  /// A place to go back to. The same allocations after rewind() as before it give the same memory, with what
  /// it held.
  struct Mark;
  Mark mark() const;
  void rewind(const Mark& mark);

  /// The most bytes ever in use at one time.
  size_t highWater() const { return highWater_; }

 private:
  struct Block;
  Block* nextBlock(size_t capacity);
  void* values(std::initializer_list<size_t> factors, size_t bytesEach);

  Block* first_ = nullptr;
  Block* current_ = nullptr;  // of the blocks before it nothing is free; those behind it a rewind left
  size_t inUse_ = 0;
  size_t highWater_ = 0;
};

struct Arena::Mark {
  Block* block = nullptr;
  size_t used = 0;
  size_t inUse = 0;
};

}  // namespace attention
