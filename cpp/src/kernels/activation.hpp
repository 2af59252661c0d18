#pragma once

#include "attention/layers.hpp"
#include "elementwise.hpp"

namespace attention::kernels {

/// to = f(x) for `rows` rows of `n` values each, both `stride` apart; `to` may be `x`. Not inlined: two
/// layers run it, and seven functions are 6 kB. kNone is none of them.
template <class Arch>
[[gnu::noinline]] void activateRows(Activation kind, const float* x, float* to, size_t stride, size_t rows,
                                    size_t n) {
  const auto apply = [&](const auto& f) {
    for (size_t r = 0; r < rows; ++r) map<Arch>(x + r * stride, n, to + r * stride, f);
  };
  switch (kind) {
    case Activation::kNone:
      return;
    case Activation::kRelu:
      return apply(relu<Arch>);
    case Activation::kGelu:
      return apply(Gelu<Arch>());
    case Activation::kGeluTanh:
      return apply(GeluTanh<Arch>());
    case Activation::kSilu:
      return apply(Silu<Arch>());
    case Activation::kTanh:
      return apply([](simd::Floats<Arch> value) { return xsimd::tanh(value); });
    case Activation::kSigmoid:
      return apply(Sigmoid<Arch>());
    case Activation::kSoftplus:
      return apply(Softplus<Arch>());
  }
}

}  // namespace attention::kernels
