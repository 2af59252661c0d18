#include "threads.hpp"

#ifndef ATTENTION_ONE_THREAD

#include <atomic>
#include <cstdint>
#ifdef __EMSCRIPTEN__
#include <pthread.h>
#else
#include <array>
#include <thread>
#endif

namespace attention {

namespace {

/// How often a thread looks at a word before it goes to sleep: to be woken takes far longer. 100,000 looks
/// took 8 % from the caller, 400,000 27 %, where another process had a processor.
constexpr int kLooks = 4000;

using Word = std::atomic<uint32_t>;

#ifdef __EMSCRIPTEN__

// Its libc++ would poll; a mutex with its condition is 2 kB, and std::thread as much.
void sleepWhile(Word& word, uint32_t value) {
  __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int*>(&word), static_cast<int>(value), -1);
}
void wakeAll(Word& word) { __builtin_wasm_memory_atomic_notify(reinterpret_cast<int*>(&word), UINT32_MAX); }

/// Threads of which each runs `serve` with its number. They end with their workers.
class Crew {
 public:
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): as the other Crew's
  void start(size_t count, void (*serve)(size_t)) {
    serve_ = serve;
    for (size_t thread = 1; thread < count; ++thread) {
      pthread_t id;
      pthread_create(&id, nullptr, run,
                     reinterpret_cast<void*>(thread));  // NOLINT(performance-no-int-to-ptr)
    }
  }

 private:
  static void* run(void* thread) {
    serve_(reinterpret_cast<size_t>(thread));
    return nullptr;
  }
  inline static void (*serve_)(size_t) = nullptr;
};

#else

void sleepWhile(Word& word, uint32_t value) { word.wait(value, std::memory_order_relaxed); }
void wakeAll(Word& word) { word.notify_all(); }

class Crew {
 public:
  void start(size_t count, void (*serve)(size_t)) {
    for (size_t thread = 1; thread < count; ++thread) threads_[thread - 1] = std::thread(serve, thread);
  }
  void join() {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

 private:
  std::array<std::thread, kMostThreads - 1> threads_;
};

#endif

/// The word's value once it is another one.
uint32_t changed(Word& word, uint32_t value) {
  for (int look = 0;; ++look) {
    const uint32_t now = word.load(std::memory_order_acquire);
    if (now != value) return now;
    if (look >= kLooks) sleepWhile(word, value);
  }
}

/// One call at a time is shared. Threads that wake in time join it; those that come after its last item sleep
/// on, and nobody waits for them: a short call costs no more than the attempt to wake them.
class Pool {
 public:
  size_t count() const { return count_; }

  bool start(size_t count, void (*serveFrom)(size_t)) {
    if (count_ != 1 || count == 0 || count > kMostThreads) return false;
    count_ = count;
    first_ = round_.load();
    ended_.store(false);
    crew_.start(count, serveFrom);
    return true;
  }

#ifndef __EMSCRIPTEN__
  ~Pool() { stop(); }

  void stop() {
    ended_.store(true);
    nextRound();
    crew_.join();
    count_ = 1;
  }
#endif

  void serve(size_t thread) {
    for (uint32_t seen = first_;;) {
      seen = changed(round_, seen);
      if (ended_.load()) return;
      if (!join()) continue;
      takeItems(thread);
      if (gate_.fetch_sub(1, std::memory_order_release) == 1) wakeAll(gate_);
    }
  }

  void share(size_t items, threads::RunItem run, void* work) {
    // A second caller, or a call within an item, does its own work.
    if (isShared_.test_and_set(std::memory_order_acquire)) {
      for (size_t item = 0; item < items; ++item) run(work, item, 0);
      return;
    }
    items_ = items;
    run_ = run;
    work_ = work;
    next_.store(0, std::memory_order_relaxed);
    gate_.store(kOpen, std::memory_order_release);
    nextRound();
    takeItems(0);
    close();
    isShared_.clear(std::memory_order_release);
  }

 private:
  static constexpr uint32_t kOpen = 0x80000000;

  void nextRound() {
    round_.fetch_add(1, std::memory_order_release);
    wakeAll(round_);
  }

  void takeItems(size_t thread) {
    for (size_t item; (item = next_.fetch_add(1, std::memory_order_relaxed)) < items_;) {
      run_(work_, item, thread);
    }
  }

  /// Waits for the items that helpers are still at.
  void close() {
    uint32_t helpers = gate_.fetch_and(~kOpen, std::memory_order_acquire) & ~kOpen;
    while (helpers != 0) helpers = changed(gate_, helpers);
  }

  /// As a helper, unless the call is over.
  bool join() {
    uint32_t gate = gate_.load(std::memory_order_relaxed);
    while ((gate & kOpen) != 0) {
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  size_t count_ = 1;
  Crew crew_;
  uint32_t first_ = 0;  // the round before the first that the crew sees, however late it begins
  std::atomic<bool> ended_{false};
  std::atomic_flag isShared_;
  Word round_{0};  // counts calls; threads without work sleep on it
  Word gate_{0};   // of the call under way: the number of helpers, and kOpen while they may join

  // The call under way, written before its gate opens.
  size_t items_ = 0;
  threads::RunItem run_ = nullptr;
  void* work_ = nullptr;
  std::atomic<size_t> next_{0};
};

Pool pool;

}  // namespace

size_t threadCount() { return pool.count(); }
bool startThreads(size_t count) {
  return pool.start(count, [](size_t thread) { pool.serve(thread); });
}
#ifndef __EMSCRIPTEN__
void stopThreads() { pool.stop(); }
#endif
void threads::share(size_t items, RunItem run, void* work) { pool.share(items, run, work); }

}  // namespace attention

#endif
