#pragma once

#include <cstddef>

#include "parts.hpp"

namespace attention {

// WebAssembly without shared memory has no use for atomics: there the loop is all there is.
#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
#define ATTENTION_ONE_THREAD
#endif

inline constexpr size_t kMostThreads = 64;

#ifdef ATTENTION_ONE_THREAD

inline size_t threadCount() { return 1; }

#else

/// Threads that work on one call, the calling one among them: 1 until startThreads().
size_t threadCount();

/// Starts count - 1 threads, which sleep until there is something to share. False where there are some
/// already, or where `count` is not in 1 … kMostThreads. The browser's workers must be there: the loader
/// makes them.
bool startThreads(size_t count);

#ifndef __EMSCRIPTEN__
/// Ends them; not while a call is under way. The browser's end with their workers.
void stopThreads();
#endif

namespace threads {

using RunItem = void (*)(void* work, size_t item, size_t thread);

/// Runs every item, on all threads that come in time.
void share(size_t items, RunItem run, void* work);

}  // namespace threads

#endif

/// Runs work(item, thread) for every item below `items` that is due; `thread` is below threadCount() and
/// names the scratch to use. Items are handed out as threads become free, so their order and thread must not
/// change a result. Work must not allocate: scratch is made before.
template <class Work>
void inParallel(size_t items, Work work) {
  const Range due = parts.take(items);
#ifndef ATTENTION_ONE_THREAD
  if (due.size() > 1 && threadCount() > 1) {
    auto shared = [&](size_t item, size_t thread) { work(due.begin + item, thread); };
    const auto run = [](void* given, size_t item, size_t thread) {
      (*static_cast<decltype(shared)*>(given))(item, thread);
    };
    threads::share(due.size(), run, &shared);
    return;
  }
#endif
  for (size_t item = due.begin; item < due.end; ++item) work(item, size_t{0});
}

/// The same on the calling thread, one item after the other.
template <class Work>
void inOrder(size_t items, Work work) {
  const Range due = parts.take(items);
  for (size_t item = due.begin; item < due.end; ++item) work(item);
}

}  // namespace attention
