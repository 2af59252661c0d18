#include "attention/block_map.hpp"

#include <algorithm>

namespace attention {

namespace {

constexpr size_t kHeader = 5;
constexpr size_t kPatternWords = BlockMap::kBlock * BlockMap::kBlock / 32;

/// `count` records of `words` words each from the front of `rest`, or nothing where there are fewer.
std::optional<std::span<const int32_t>> take(std::span<const int32_t>& rest, uint64_t count, uint64_t words) {
  const uint64_t size = count * words;
  if (size > rest.size()) return std::nullopt;
  const std::span<const int32_t> front = rest.first(static_cast<size_t>(size));
  rest = rest.subspan(front.size());
  return front;
}

bool isAscending(std::span<const int32_t> values, int64_t last) {
  return std::ranges::is_sorted(values) && (values.empty() || (values.front() >= 0 && values.back() <= last));
}

/// Runs of one row: in order, apart, patterns known and of one block.
bool areRuns(std::span<const BlockMap::Run> runs, int64_t patterns) {
  int64_t end = 0;
  for (const BlockMap::Run& run : runs) {
    const bool isOneBlock = run.pattern == BlockMap::kFull || run.end == run.begin + 1;
    if (run.begin < end || run.end <= run.begin || run.pattern < BlockMap::kFull || run.pattern >= patterns ||
        !isOneBlock) {
      return false;
    }
    end = run.end;
  }
  return true;
}

}  // namespace

std::optional<BlockMap> BlockMap::read(std::span<const int32_t> words) {
  const auto isNegative = [](int32_t word) { return word < 0; };
  if (words.size() < kHeader || std::ranges::any_of(words.first(kHeader), isNegative)) return std::nullopt;
  const auto sizeAt = [&](size_t at) { return static_cast<uint64_t>(words[at]); };
  std::span<const int32_t> rest = words.subspan(kHeader);
  const auto planes = take(rest, sizeAt(0) * sizeAt(1), 1);
  const auto rowStart = take(rest, sizeAt(2) + 1, 1);
  const auto runs = take(rest, sizeAt(3), sizeof(Run) / sizeof(int32_t));
  const auto patterns = take(rest, sizeAt(4), kPatternWords);
  if (!planes || !rowStart || !runs || !patterns || !rest.empty()) return std::nullopt;

  BlockMap map;
  map.batches_ = static_cast<size_t>(words[0]);
  map.heads_ = static_cast<size_t>(words[1]);
  map.planes_ = *planes;
  map.rowStart_ = *rowStart;
  map.runs_ = {reinterpret_cast<const Run*>(runs->data()), static_cast<size_t>(words[3])};
  map.patterns_ = *patterns;
  if (!isAscending(map.planes_, words[2]) || !isAscending(map.rowStart_, words[3])) return std::nullopt;
  for (size_t row = 0; row + 1 < map.rowStart_.size(); ++row) {
    const auto begin = static_cast<size_t>(map.rowStart_[row]);
    const auto end = static_cast<size_t>(map.rowStart_[row + 1]);
    if (!areRuns(map.runs_.subspan(begin, end - begin), words[4])) return std::nullopt;
  }
  return map;
}

bool BlockMap::covers(size_t batch, size_t head, size_t queries, size_t keys) const {
  const size_t plane = (batches_ == 1 ? 0 : batch) * heads_ + (heads_ == 1 ? 0 : head);
  const size_t rows = (queries + kBlock - 1) / kBlock, columns = (keys + kBlock - 1) / kBlock;
  const auto first = static_cast<size_t>(planes_[plane]);
  if (first + rows > rowStart_.size() - 1) return false;
  for (size_t r = first; r < first + rows; ++r) {
    const auto end = static_cast<size_t>(rowStart_[r + 1]);
    if (end > static_cast<size_t>(rowStart_[r]) && static_cast<size_t>(runs_[end - 1].end) > columns) {
      return false;
    }
  }
  return true;
}

std::span<const BlockMap::Run> BlockMap::row(size_t batch, size_t head, size_t query) const {
  const size_t plane = (batches_ == 1 ? 0 : batch) * heads_ + (heads_ == 1 ? 0 : head);
  const size_t row = static_cast<size_t>(planes_[plane]) + query / kBlock;
  const auto begin = static_cast<size_t>(rowStart_[row]);
  return runs_.subspan(begin, static_cast<size_t>(rowStart_[row + 1]) - begin);
}

namespace {

Range keysOf(const BlockMap::Run& run) {
  return {static_cast<size_t>(run.begin) * BlockMap::kBlock, static_cast<size_t>(run.end) * BlockMap::kBlock};
}

/// The runs from the first that ends beyond `key`.
std::span<const BlockMap::Run> from(std::span<const BlockMap::Run> runs, size_t key) {
  const auto first =
      std::ranges::partition_point(runs, [key](const BlockMap::Run& run) { return keysOf(run).end <= key; });
  return {first, runs.end()};
}

}  // namespace

Range BlockMap::next(size_t batch, size_t head, size_t query, Range keys) const {
  Range found{keys.end, keys.end};
  for (const Run& run : from(row(batch, head, query), keys.begin)) {
    const Range own = keysOf(run);
    const bool isFirst = found.size() == 0;
    if (own.begin >= keys.end || (!isFirst && own.begin != found.end)) break;
    if (isFirst) found.begin = std::max(own.begin, keys.begin);
    found.end = own.end;
  }
  return {found.begin, std::min(found.end, keys.end)};
}

bool BlockMap::full(size_t batch, size_t head, size_t query, Range keys) const {
  size_t known = keys.begin;
  for (const Run& run : from(row(batch, head, query), keys.begin)) {
    const Range own = keysOf(run);
    if (known >= keys.end || own.begin > known || run.pattern != kFull) break;
    known = own.end;
  }
  return known >= keys.end;
}

void BlockMap::mask(size_t batch, size_t head, size_t query, Range keys, float masked, float* bias) const {
  size_t done = keys.begin;
  for (const Run& run : from(row(batch, head, query), keys.begin)) {
    const Range own = keysOf(run);
    if (own.begin >= keys.end) break;
    const Range met{std::max(own.begin, done), std::min(own.end, keys.end)};
    std::fill(bias + (done - keys.begin), bias + (met.begin - keys.begin), masked);
    done = met.end;
    if (run.pattern == kFull) continue;
    const int32_t* bits =
        patterns_.data() + static_cast<size_t>(run.pattern) * kPatternWords + query % kBlock * (kBlock / 32);
    for (size_t j = met.begin; j < met.end; ++j) {
      const size_t column = j - own.begin;
      const bool attends = (static_cast<uint32_t>(bits[column / 32]) >> (column % 32) & 1) != 0;
      if (!attends) bias[j - keys.begin] = masked;
    }
  }
  std::fill(bias + (done - keys.begin), bias + keys.size(), masked);
}

}  // namespace attention
