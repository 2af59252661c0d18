#include "../runtime/parts.hpp"
#include "query_block.hpp"
#include "run.hpp"

namespace attention {

namespace {

using Block = QueryBlock<simd::DefaultArch>;
constexpr size_t kStride = ScoreTile<simd::DefaultArch>::kKeys;

/// `n` rows or columns of a range as `cells` cells: cell c covers floor(c·n/cells) .. floor((c+1)·n/cells).
struct Cells {
  Range range;
  size_t cells;

  size_t cellOf(size_t index) const {
    const uint64_t next = index - range.begin + 1;
    return static_cast<size_t>((next * cells - 1) / range.size());
  }
  size_t endOf(size_t cell) const {
    return range.begin + static_cast<size_t>(static_cast<uint64_t>(cell + 1) * range.size() / cells);
  }
  size_t sizeOf(size_t cell) const { return endOf(cell) - (cell == 0 ? range.begin : endOf(cell - 1)); }
};

float pooled(Pool pool, float cell, float value) {
  return pool == Pool::kMean ? cell + value : kernels::largerOrNaN(cell, value);
}

/// A head's map while its tiles come in.
class HeadMap {
 public:
  HeadMap(const Cells& rows, const Cells& columns, Pool pool) : rows_(rows), columns_(columns), pool_(pool) {}

  bool allocate(Arena& arena) {
    row_ = arena.floats({kStride});
    cells_ = arena.doubles({rows_.cells, columns_.cells});
    return row_ != nullptr && cells_ != nullptr;
  }

  void begin() { std::fill_n(cells_, size(), 0.0); }

  /// Rows that share a row of cells are pooled with each other first: the vertical step is the one that
  /// vectorises.
  void add(Range tile, Range keys, const float* probabilities) {
    for (size_t r = tile.begin; r < tile.end;) {
      const size_t cell = rows_.cellOf(r), end = std::min(rows_.endOf(cell), tile.end);
      std::copy_n(probabilities + (r - tile.begin) * kStride, keys.size(), row_);
      for (++r; r < end; ++r) {
        const float* from = probabilities + (r - tile.begin) * kStride;
        for (size_t j = 0; j < keys.size(); ++j) row_[j] = pooled(pool_, row_[j], from[j]);
      }
      addRow(cells_ + cell * columns_.cells, keys);
    }
  }

  void store(float* map) const {
    for (size_t r = 0; r < rows_.cells; ++r) {
      for (size_t c = 0; c < columns_.cells; ++c) {
        const double pairs = static_cast<double>(rows_.sizeOf(r)) * static_cast<double>(columns_.sizeOf(c));
        const size_t cell = r * columns_.cells + c;
        map[cell] = static_cast<float>(cells_[cell] / (pool_ == Pool::kMean ? pairs : 1.0));
      }
    }
  }

 private:
  size_t size() const { return rows_.cells * columns_.cells; }

  void addRow(double* cells, Range keys) {
    for (size_t j = keys.begin; j < keys.end;) {
      const size_t cell = columns_.cellOf(j), end = std::min(columns_.endOf(cell), keys.end);
      float value = row_[j - keys.begin];
      for (++j; j < end; ++j) value = pooled(pool_, value, row_[j - keys.begin]);
      const auto next = static_cast<double>(value);
      cells[cell] = pool_ == Pool::kMean ? cells[cell] + next : kernels::largerOrNaN(cells[cell], next);
    }
  }

  Cells rows_, columns_;
  Pool pool_;
  float* row_ = nullptr;
  double* cells_ = nullptr;  // a mean of millions of pairs in float would lose the small ones
};

Status checkRange(const char* argument, const std::optional<Range>& given, size_t size, Range* range) {
  *range = given.value_or(Range{0, size});
  if (range->begin <= range->end && range->end <= size) return {};
  return invalidArgument(argument, Message()
                                       << "got [" << static_cast<int64_t>(range->begin) << ","
                                       << static_cast<int64_t>(range->end)
                                       << "], wanted 0 <= start <= end <= " << static_cast<int64_t>(size));
}

Status checkLogSumExp(const AttentionMapOptions& map, const AttentionPlan& plan) {
  if (!map.logSumExp) return {};
  if (map.logSumExp->dtype != DType::kFloat32) {
    return unsupportedDtype("options.logSumExp", map.logSumExp->dtype, "float32 or float16");
  }
  if (map.logSumExp->shape == plan.logSumExpShape) return {};
  return shapeMismatch("options.logSumExp", Message()
                                                << "got shape " << map.logSumExp->shape.dims()
                                                << ", wanted [B,H,Sq] = " << plan.logSumExpShape.dims());
}

}  // namespace

Status attentionMap(const TensorView& query, const TensorView& key, const AttentionOptions& options,
                    const AttentionMapOptions& map, Output& out, Arena& arena) {
  TensorView noValues = key;
  noValues.dtype = DType::kFloat32;
  if (key.rank() > 0) noValues.shape[key.rank() - 1] = 0;
  AttentionPlan plan;
  ATTENTION_RETURN_IF_ERROR(planAttention(query, key, noValues, options, &plan));
  Range rows, columns;
  ATTENTION_RETURN_IF_ERROR(checkRange("options.rows", map.rows, plan.sequences().queries, &rows));
  ATTENTION_RETURN_IF_ERROR(checkRange("options.columns", map.columns, plan.sequences().keys, &columns));
  ATTENTION_RETURN_IF_ERROR(checkLogSumExp(map, plan));
  const Cells mapRows{rows, std::min(map.mapRows, rows.size())};
  const Cells mapColumns{columns, std::min(map.mapColumns, columns.size())};
  ATTENTION_RETURN_IF_ERROR(
      out.resolve("options.size", {plan.batch, plan.heads, mapRows.cells, mapColumns.cells}, arena));

  if (out.view().count() == 0) return {};
  const RowBlocks blocks = Block::blocksOf(plan);
  Block block(plan, blocks);
  HeadMap headMap(mapRows, mapColumns, map.pool);
  if (!block.allocate(arena) || !headMap.allocate(arena)) return outOfMemory("");
  for (size_t b = 0; b < plan.batch; ++b) {
    for (size_t h = 0; h < plan.heads; ++h) {
      once([&] { headMap.begin(); });
      for (Range r = blocks.from(rows.begin, rows.end); r.size() != 0; r = blocks.from(r.end, rows.end)) {
        once([&] {
          block.begin({b, h, 1, r});
          if (map.logSumExp) {
            block.takeLogSumExp(map.logSumExp->floats());
          } else {
            block.attend();
          }
          block.show(Stage::kProbabilities, columns, [&](Range tile, Range keys, const float* probabilities) {
            headMap.add({r.begin + tile.begin, r.begin + tile.end}, keys, probabilities);
          });
        });
      }
      once([&] { headMap.store(out.floats() + (b * plan.heads + h) * mapRows.cells * mapColumns.cells); });
    }
  }
  return {};
}

}  // namespace attention
