#pragma once

#include <optional>
#include <span>

#include "attention/arena.hpp"
#include "attention/status.hpp"
#include "attention/tensor.hpp"

namespace attention {

/// Which of a call's inputs its result may be written onto.
enum class Aliasing { kNone, kOntoFirst, kOntoAny };

/// Where a float32 result goes: into memory the caller gave, or into the arena. The function that computes it
/// works out the shape and calls resolve() before any work.
class Output {
 public:
  Output() = default;
  static Output into(const TensorView& given);
  /// Checked as if it went there, but it goes into the arena: `given` changes when the caller copies it.
  static Output like(const TensorView& given);
  static Output ofLength(size_t length);
  /// Into memory of its own from malloc(), which outlives the call and belongs to the caller once it
  /// succeeds.
  static Output kept();

  /// Checks what was given against `shape` and against overlaps with `inputs`, or finds room.
  Status resolve(const char* argument, const Shape& shape, Arena& arena,
                 std::span<const TensorView> inputs = {}, Aliasing aliasing = Aliasing::kNone);

  /// Of a call that failed: gives back what a kept output has taken.
  void discard();

  const TensorView& view() const { return view_; }
  bool isLike() const { return isLike_; }
  float* floats() const { return view_.floats(); }

 private:
  Status checkGiven(const char* argument, const Shape& shape, std::span<const TensorView> inputs,
                    Aliasing aliasing) const;

  bool given_ = false, isLike_ = false, isKept_ = false;
  std::optional<size_t> length_;
  TensorView view_;
};

}  // namespace attention
