#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "attention/attention.hpp"

namespace attention {

struct KvCacheConfig {
  size_t batch = 1, kvHeads = 1, headDim = 1, valueDim = 1;
  size_t capacity = 0;  ///< keys stored per batch entry
  /// Of a stream (Xiao et al. 2023): the query at position p sees j < sinkTokens or p - window < j <= p. 0:
  /// every key is kept, and none beyond the capacity is taken.
  size_t window = 0, sinkTokens = 0;
  DType dtype = DType::kFloat32;  ///< kFloat32, kFloat16 or kInt8
};

/// Keys and values of a sequence so far, for each batch entry, in pages that are made as it grows. Forks and
/// reordered entries share pages until one of them writes.
///
/// float16 rounds each value to the nearest: |error| <= 2^-11·|x|, or 2^-25 below 2^-14; from 65,520 on it
/// is infinite. int8 has a factor for each head and position, max|x|/127 of its values: |error| <=
/// max|x|/254; a row with NaN or infinity becomes NaN.
///
/// A call that fails changes nothing.
class KvCache {
 public:
  /// Null where memory is exhausted; `config` is checked by the caller.
  static std::unique_ptr<KvCache> create(const KvCacheConfig& config);
  ~KvCache();
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;

  /// Positions seen, also those no longer held: the next one's number.
  size_t length() const { return length_; }
  /// Of the pages it holds, shared ones too.
  uint64_t byteLength() const;

  /// k [B,Hkv,S,D], v [B,Hkv,S,Dv], or any other shape of attention's inputs; packedHeads: of packed ones,
  /// else 0.
  Status append(const TensorView& key, const TensorView& value, Layout layout, size_t packedHeads);

  /// Attention over everything held, after appending key and value where they are given. Positions are
  /// absolute: options.queryOffset is the position of query 0, and masks and weights have a column for each
  /// position. Eviction follows: each query sees what it would see if tokens came one by one.
  Status attend(const TensorView& query, const std::optional<TensorView>& key,
                const std::optional<TensorView>& value, const AttentionOptions& options,
                AttentionOutputs& outputs, Arena& arena);

  /// Forgets what came at `length` and later. Refused if a later query would see less than its window: a
  /// capacity of n more than sinkTokens + window allows for n + 1 positions back.
  Status truncate(size_t length);

  /// A cache of the same contents; null where memory is exhausted.
  std::unique_ptr<KvCache> fork() const;

  /// Entry i continues entry batch[i].
  Status reorder(std::span<const int32_t> batch);

  /// Keys [B,Hkv,length,D] and values [B,Hkv,length,Dv] as they are kept; zeros where they are no longer.
  Status read(Output& keys, Output& values, Arena& arena) const;

  /// The contents as bytes that load() of a cache of the same config reads, in any engine. A whole number of
  /// floats.
  Status save(Output& bytes, Arena& arena) const;
  Status load(std::span<const std::byte> bytes);

  /// The steps of attend(), for a caller that makes keys and values in between: read their shapes, reserve,
  /// plan, write, run the plan, and end in any case.
  Status readRows(const TensorView& key, const TensorView& value, Layout layout, size_t packedHeads,
                  TensorView* keyHeads, TensorView* valueHeads) const;
  Status reserve(size_t added);
  Status plan(const TensorView& query, size_t added, const AttentionOptions& options,
              AttentionPlan* plan) const;
  void write(const TensorView& keyHeads, const TensorView& valueHeads);
  /// Keeps `appended` of the positions reserved and gives the others' memory back. A call that is given up
  /// between two parts ends with 0.
  void end(size_t appended);

 private:
  explicit KvCache(const KvCacheConfig& config) : config_(config) {}

  /// end(), but for a call that has parts to come: what it reserved and wrote waits for them.
  void endOf(const Status& status, size_t added);
  size_t rowsFor(size_t length) const { return (length + layout_.rows - 1) / layout_.rows; }
  /// Places of the table that so many positions take.
  size_t placesFor(size_t length) const { return layout_.placeOf(rowsFor(length)); }
  std::byte*& page(size_t row, size_t entry) { return pages_[layout_.placeOf(row) * config_.batch + entry]; }
  size_t rowsGone() const;
  void forgetRows();
  bool growTable(size_t places);
  bool makeOwn(std::byte*& page) const;
  bool makeRows(Range positions);
  void release(size_t from, size_t to);
  Stream stream() const { return {config_.sinkTokens, heldFrom_, config_.window}; }

  std::array<uint32_t, 12> header() const;
  uint64_t savedBytes() const;
  template <class Visit>
  void forEachRun(Visit visit) const;
  void copyRows(size_t at, size_t factorsAt, size_t width, float* to) const;

  KvCacheConfig config_;
  KeyPages layout_;               // of a page
  size_t pageBytes_ = 0;          // without what counts its owners
  std::byte** pages_ = nullptr;   // [places][B]: only rows of pages that may be held have one
  size_t places_ = 0, room_ = 0;  // in the table, and that it has memory for
  size_t length_ = 0;
  size_t heldFrom_ = 0;  // positions before it are gone, but for the first sinkTokens
};

}  // namespace attention
