#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "attention/arena.hpp"

/// Memory of caches that several of them may share: a count of owners stands before each page.
namespace attention {

inline constexpr size_t kPageAlignment = 64;

inline uint32_t& ownersOf(std::byte* page) { return *reinterpret_cast<uint32_t*>(page - kPageAlignment); }

/// `bytes`: a whole number of alignments. Null where memory is exhausted.
inline std::byte* makePage(size_t bytes) {
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kPageAlignment, kPageAlignment + bytes));
  if (memory == nullptr) return nullptr;
  // What is read beyond the last key shall be numbers.
  std::memset(memory, 0, kPageAlignment + bytes);
  std::byte* page = memory + kPageAlignment;
  ownersOf(page) = 1;
  return page;
}

inline void dropPage(std::byte* page) {
  if (page != nullptr && --ownersOf(page) == 0) std::free(page - kPageAlignment);
}

inline std::byte* sharePage(std::byte* page) {
  if (page != nullptr) ++ownersOf(page);
  return page;
}

}  // namespace attention
