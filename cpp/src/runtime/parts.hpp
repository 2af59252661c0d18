#pragma once

#include <algorithm>
#include <cstddef>

#include "attention/block_map.hpp"

namespace attention {

/// The work of one call, some items at a time, for callers that must look up in between and have no other
/// thread to do it.
///
/// The call is made again and again with the same arguments, until it is whole. Each time its loops do the
/// items that are due and pass over the others; what items left in memory is still there, since the arena is
/// rewound to where the call began and gives the same places again. Nothing that outlives the call changes
/// before its last part: one that is given up has done nothing.
class Parts {
 public:
  /// The next call does `most` items more.
  void begin(size_t most) {
    isUnderWay_ = true;
    done_ = std::min(due_.end, passed_);
    due_ = {done_, most > SIZE_MAX - done_ ? SIZE_MAX : done_ + most};
    passed_ = 0;
  }

  /// The next call is whole.
  void end() { *this = {}; }

  /// Those of a loop's next items that are due.
  Range take(size_t items) {
    if (!isUnderWay_) return {0, items};
    const auto within = [&](size_t item) { return std::clamp(item, passed_, passed_ + items) - passed_; };
    const Range due{within(due_.begin), within(due_.end)};
    passed_ += items;
    return due;
  }

  bool isUnderWay() const { return isUnderWay_; }
  bool isFirst() const { return done_ == 0; }
  /// Whether every item so far was done, in this part or before.
  bool isWhole() const { return passed_ <= due_.end; }

  /// Of the latest call.
  size_t itemsDone() const { return std::min(due_.end, passed_); }
  size_t items() const { return passed_; }

 private:
  bool isUnderWay_ = false;
  size_t done_ = 0;
  Range due_{0, 0};
  size_t passed_ = 0;
};

/// Of the call under way. An engine is one instance of the module and makes one call at a time.
inline Parts parts;

/// Runs work() as one item.
template <class Work>
void once(Work work) {
  if (parts.take(1).size() != 0) work();
}

}  // namespace attention
