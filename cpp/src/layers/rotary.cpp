#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include "../runtime/power.hpp"
#include "checks.hpp"

namespace attention {

namespace {

/// base^(-2i/dims), scaled as published, and what multiplies cos and sin.
class Frequencies {
 public:
  Frequencies(const RotaryOptions& options, size_t dims)
      : options_(options), dims_(static_cast<double>(dims)) {}

  double of(size_t pair) const {
    const double own = power(options_.base, -2.0 * static_cast<double>(pair) / dims_);
    const RopeScaling& scaling = options_.scaling;
    switch (scaling.type) {
      case RopeScaling::Type::kNone:
        return own;
      case RopeScaling::Type::kLinear:
        return own / scaling.factor;
      case RopeScaling::Type::kLlama3:
        return mix(own, llama3Kept(own));
      case RopeScaling::Type::kYarn:
        return mix(own, 1.0 - yarnRamp(static_cast<double>(pair)));
    }
    return own;
  }

 private:
  /// `kept` of the frequency itself, the rest of it divided by the factor.
  double mix(double own, double kept) const {
    return own * kept + own / options_.scaling.factor * (1.0 - kept);
  }

  /// Llama 3.1: wavelengths below originalContext / highFreqFactor stay, those above originalContext /
  /// lowFreqFactor are stretched, in between linearly in the number of turns.
  double llama3Kept(double own) const {
    const RopeScaling& scaling = options_.scaling;
    const double turns = scaling.originalContext * own / (2.0 * std::numbers::pi);
    const double kept = (turns - scaling.lowFreqFactor) / (scaling.highFreqFactor - scaling.lowFreqFactor);
    return std::clamp(kept, 0.0, 1.0);
  }

  /// Peng et al. 2023, 3.2: 0 for pairs that turn more than betaFast times over the original context, 1 for
  /// those that turn less than betaSlow times, in between linearly in the pair's index.
  double yarnRamp(double pair) const {
    const double low = std::max(std::floor(pairOfTurns(options_.scaling.betaFast)), 0.0);
    double high = std::min(std::ceil(pairOfTurns(options_.scaling.betaSlow)), dims_ - 1.0);
    if (low == high) high += 0.001;
    return std::clamp((pair - low) / (high - low), 0.0, 1.0);
  }

  double pairOfTurns(double turns) const {
    return dims_ * std::log(options_.scaling.originalContext / (turns * 2.0 * std::numbers::pi)) /
           (2.0 * std::log(options_.base));
  }

  const RotaryOptions& options_;
  const double dims_;
};

Status readHeads(const TensorView& x, const RotaryOptions& options, AttentionPlan* plan) {
  AttentionOptions shapes;
  shapes.layout = options.layout;
  shapes.numHeads = options.numHeads;
  const Status status = planAttention(x, x, x, shapes, plan);
  const std::string_view argument = status.argument();
  return argument == "q" || argument == "k" || argument == "v" ? status.renamed("x") : status;
}

Status readDims(const RotaryOptions& options, const TensorView& x, size_t size, size_t* dims) {
  *dims = options.dims.value_or(size);
  if (*dims >= 2 && *dims % 2 == 0 && *dims <= size) return {};
  if (!options.dims) {
    return shapeMismatch("x", Message() << "got shape " << x.shape.dims()
                                        << ", wanted an even head size without options.dims");
  }
  return invalidArgument("options.dims", Message() << "got " << static_cast<int64_t>(*dims)
                                                   << ", wanted an even number from 2 to the head size "
                                                   << static_cast<int64_t>(size));
}

Status checkPositions(const RotaryOptions& options, size_t batch, size_t length) {
  if (!options.positions) return {};
  const size_t count = options.positions->size();
  if (count == length || count == batch * length) return {};
  return shapeMismatch("options.positions", Message()
                                                << "got " << static_cast<int64_t>(count)
                                                << " values, wanted S = " << static_cast<int64_t>(length)
                                                << " or B·S = " << static_cast<int64_t>(batch * length));
}

/// Given angles: [S,dims/2] or [B,S,dims/2]; with positions a cache [P,dims/2].
Status checkTable(const char* argument, const TensorView& table, const RotaryOptions& options, size_t batch,
                  size_t length, size_t half) {
  ATTENTION_RETURN_IF_ERROR(checkFloat(argument, table));
  if (options.positions) {
    if (table.rank() == 2 && table.shape[1] == half) return {};
    return shapeMismatch(
        argument, Message() << "got shape " << table.shape.dims()
                            << ", wanted [positions,dims/2] with dims/2 = " << static_cast<int64_t>(half));
  }
  const Shape shared{length, half}, own{batch, length, half};
  if (table.shape == shared || table.shape == own) return {};
  return shapeMismatch(argument, Message() << "got shape " << table.shape.dims() << ", wanted [S,dims/2] = "
                                           << shared.dims() << " or [B,S,dims/2] = " << own.dims());
}

Status checkTables(const RotaryOptions& options, size_t batch, size_t length, size_t half) {
  if (!options.cos && !options.sin) return {};
  if (!options.cos || !options.sin) {
    return invalidArgument(options.cos ? "options.sin" : "options.cos",
                           Message() << "got one of cos and sin, wanted both or none");
  }
  ATTENTION_RETURN_IF_ERROR(checkTable("options.cos", *options.cos, options, batch, length, half));
  ATTENTION_RETURN_IF_ERROR(checkTable("options.sin", *options.sin, options, batch, length, half));
  if (options.cos->shape != options.sin->shape) {
    return shapeMismatch("options.sin", Message() << "got shape " << options.sin->shape.dims()
                                                  << ", wanted cos's " << options.cos->shape.dims());
  }
  const size_t known = options.cos->shape[0];
  const std::span<const int32_t> positions = options.positions.value_or(std::span<const int32_t>());
  for (size_t i = 0; i < positions.size(); ++i) {
    const int32_t position = positions[i];
    if (position < 0 || static_cast<size_t>(position) >= known) {
      return invalidArgument("options.positions", Message() << "got " << position << " at index "
                                                            << static_cast<int64_t>(i) << ", wanted 0.."
                                                            << static_cast<int64_t>(known) - 1
                                                            << ", the rows of cos");
    }
  }
  return {};
}

/// cos and sin of one row, for all its heads.
class Angles {
 public:
  Angles(const RotaryOptions& options, size_t length, size_t half)
      : options_(options), length_(length), half_(half) {}

  bool allocate(Arena& arena) {
    frequencies_ = arena.doubles({half_});
    cos_ = arena.floats({half_});
    sin_ = arena.floats({half_});
    if (!frequencies_ || !cos_ || !sin_) return false;
    const Frequencies frequencies(options_, 2 * half_);
    for (size_t i = 0; i < half_; ++i) frequencies_[i] = frequencies.of(i);
    return true;
  }

  /// A position times a frequency must be a number.
  Status check() const {
    const bool areFinite =
        std::all_of(frequencies_, frequencies_ + half_, [](double f) { return f <= 1e290; });
    if (areFinite) return {};
    const bool isScaled = options_.scaling.type != RopeScaling::Type::kNone;
    return invalidArgument(
        isScaled ? "options.scaling" : "options.base",
        Message() << "got numbers that make a frequency of more than 10^290, wanted smaller ones");
  }

  /// True where all batch entries have the same angles.
  bool isShared() const {
    if (options_.positions) return options_.positions->size() == length_;
    return !options_.cos || options_.cos->rank() == 2;
  }

  void turnTo(size_t batch, size_t row) {
    size_t at = row;  // in the list of positions or a table
    if (!isShared()) at += batch * length_;
    const int64_t position = options_.positions ? (*options_.positions)[at] : static_cast<int64_t>(row);
    if (options_.cos && options_.sin) {
      const size_t from = (options_.positions ? static_cast<size_t>(position) : at) * half_;
      std::copy_n(options_.cos->floats() + from, half_, cos_);
      std::copy_n(options_.sin->floats() + from, half_, sin_);
      return;
    }
    const double factor = attentionFactor();
    for (size_t i = 0; i < half_; ++i) {
      const double angle = static_cast<double>(position) * frequencies_[i];
      cos_[i] = static_cast<float>(factor * std::cos(angle));
      sin_[i] = static_cast<float>(factor * std::sin(angle));
    }
  }

  /// Turns the pairs of one head's row; `to` may be `from`.
  void turn(const float* from, float* to) const {
    const size_t step = options_.interleaved ? 2 : 1, other = options_.interleaved ? 1 : half_;
    for (size_t i = 0; i < half_; ++i) {
      const float a = from[i * step], b = from[i * step + other];
      to[i * step] = a * cos_[i] - b * sin_[i];
      to[i * step + other] = b * cos_[i] + a * sin_[i];
    }
  }

 private:
  /// Peng et al. 2023, 3.4.
  double attentionFactor() const {
    const RopeScaling& scaling = options_.scaling;
    if (scaling.type != RopeScaling::Type::kYarn) return 1.0;
    return scaling.attentionFactor != 0 ? scaling.attentionFactor : 0.1 * std::log(scaling.factor) + 1.0;
  }

  const RotaryOptions& options_;
  const size_t length_, half_;
  double* frequencies_ = nullptr;
  float *cos_ = nullptr, *sin_ = nullptr;
};

}  // namespace

Status rotaryEmbedding(const TensorView& x, const RotaryOptions& options, Output& out, Arena& arena) {
  AttentionPlan plan;
  ATTENTION_RETURN_IF_ERROR(readHeads(x, options, &plan));
  const size_t length = plan.sequences().queries;
  size_t dims = 0;
  ATTENTION_RETURN_IF_ERROR(readDims(options, x, plan.headDim, &dims));
  ATTENTION_RETURN_IF_ERROR(checkPositions(options, plan.batch, length));
  ATTENTION_RETURN_IF_ERROR(checkTables(options, plan.batch, length, dims / 2));
  const TensorView inputs[] = {x, options.cos.value_or(x), options.sin.value_or(x)};
  ATTENTION_RETURN_IF_ERROR(out.resolve("options.out", x.shape, arena, inputs, Aliasing::kOntoFirst));
  if (out.view().count() == 0) return {};
  Angles angles(options, length, dims / 2);
  if (!angles.allocate(arena)) return outOfMemory("");
  ATTENTION_RETURN_IF_ERROR(angles.check());
  const TensorView turned = plan.outputHeads(out.floats());
  for (size_t row = 0; row < length; ++row) {
    for (size_t b = 0; b < plan.batch; ++b) {
      if (b == 0 || !angles.isShared()) angles.turnTo(b, row);
      for (size_t h = 0; h < plan.heads; ++h) {
        const float* from = plan.queryRow(b, h, row);
        float* to = rowOf(turned, b, h, row);
        angles.turn(from, to);
        if (to != from) std::copy(from + dims, from + plan.headDim, to + dims);
      }
    }
  }
  return {};
}

}  // namespace attention
