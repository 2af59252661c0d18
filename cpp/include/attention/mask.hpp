#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "attention/tensor.hpp"

namespace attention {

/// Half-open.
struct Range {
  size_t begin, end;
  size_t size() const { return end - begin; }
};

/// What a rectangle of (query, key) pairs needs: nothing, no mask, or a mask per pair.
enum class Coverage { kEmpty, kFull, kPartial };

/// Which keys a query may see: all rules of a call at once. Query i stands at position i + offset(b) for
/// causality; lengths and dense masks count plain indices.
struct MaskPlan {
  size_t queries = 0, keys = 0;
  bool causal = false;
  bool lowerRight = false;  // the last query sees the last valid key
  int64_t sharedOffset = 0;
  std::span<const int32_t> offsets;    // [B], in place of sharedOffset
  std::span<const int32_t> kvLengths;  // [B] or empty
  std::optional<TensorView> keyMask;   // [B,Skv], non-zero attends
  std::optional<TensorView> dense;     // [B,H,Sq,Skv], broadcast axes with stride 0, bool or float32
  size_t denseKeys = 0;                // dense knows only these; later keys are masked

  int64_t offset(size_t batch) const;

  /// Keys from here on are masked for this query by position or length, whatever dense masks say.
  size_t keyEnd(size_t batch, size_t query) const;

  Coverage coverage(size_t batch, Range rows, Range columns) const;

  /// Writes what is added to one query's scores: -infinity where masked, else the float mask. True where any
  /// key of the range attends.
  bool fillBias(size_t batch, size_t head, size_t query, Range columns, float* bias) const;

 private:
  size_t validKeys(size_t batch) const;
};

}  // namespace attention
