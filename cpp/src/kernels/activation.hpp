#pragma once

#include "attention/layers.hpp"
#include "elementwise.hpp"

namespace attention::kernels {

/// Calls use(f) with the function of a kind; kNone is not one.
template <class Arch, class Use>
inline void withActivation(Activation kind, Use use) {
  switch (kind) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      use(relu<Arch>);
      break;
    case Activation::kGelu:
      use(Gelu<Arch>());
      break;
    case Activation::kGeluTanh:
      use(GeluTanh<Arch>());
      break;
    case Activation::kSilu:
      use(Silu<Arch>());
      break;
    case Activation::kTanh:
      use([](simd::Floats<Arch> value) { return xsimd::tanh(value); });
      break;
  }
}

/// Of `rows` rows, `n` values each, in place.
template <class Arch>
inline void activateRows(Activation kind, float* at, size_t stride, size_t rows, size_t n) {
  withActivation<Arch>(kind, [&](const auto& f) {
    for (size_t r = 0; r < rows; ++r, at += stride) map<Arch>(at, n, at, f);
  });
}

}  // namespace attention::kernels
