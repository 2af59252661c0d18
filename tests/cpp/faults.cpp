// Memory that runs out: every way in which the core takes some goes through here.
#include "faults.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace attention::test {
Faults faults;
}

namespace {
bool fails(size_t bytes) {
  attention::test::Faults& faults = attention::test::faults;
  faults.largest = std::max(faults.largest, bytes);
  return ++faults.allocations == faults.failing;
}
}  // namespace

extern "C" {
void* __real_aligned_alloc(size_t alignment, size_t bytes);   // NOLINT(bugprone-reserved-identifier)
void* __real_realloc(void* memory, size_t bytes);             // NOLINT(bugprone-reserved-identifier)
void* __wrap_aligned_alloc(size_t alignment, size_t bytes) {  // NOLINT(bugprone-reserved-identifier)
  return fails(bytes) ? nullptr : __real_aligned_alloc(alignment, bytes);
}
void* __wrap_realloc(void* memory, size_t bytes) {  // NOLINT(bugprone-reserved-identifier)
  return fails(bytes) ? nullptr : __real_realloc(memory, bytes);
}
}

/// A cache's own.
void* operator new(size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return fails(bytes) ? nullptr : std::malloc(bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*bytes*/) noexcept { std::free(memory); }
void* operator new(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
