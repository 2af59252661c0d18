#pragma once

#include <cstddef>

namespace attention {

/// Threads that work on one call, the calling one among them.
inline size_t threadCount() { return 1; }

/// Runs work(item, thread) for every item below `items`; `thread` is below threadCount() and names the
/// scratch to use. Items are handed out as threads become free, so their order and thread must not change a
/// result.
template <class Work>
void inParallel(size_t items, Work work) {
  for (size_t item = 0; item < items; ++item) work(item, size_t{0});
}

}  // namespace attention
