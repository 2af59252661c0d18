#pragma once

#include "checks.hpp"

namespace attention {

/// The names a linear layer's arguments have in the public call it is a part of.
struct LinearNames {
  const char *x, *weight, *bias;
};

/// Checks x [...,in], weight [out,in], bias [out] and gives the result's shape [...,out].
Status checkLinear(const LinearNames& names, const TensorView& x, const TensorView& weight,
                   const std::optional<TensorView>& bias, Shape* shape);

/// Row `row` of panels [out,in], as floats.
void copyPanelRow(const TensorView& weight, size_t row, float* to);

/// Memory that runLinear works in; null where there is none left.
float* linearScratch(Arena& arena);

/// A checked linear layer, and the activation of its result, into `out`.
void runLinear(const TensorView& x, const TensorView& weight, const std::optional<TensorView>& bias,
               float* out, float* scratch, Activation activation = Activation::kNone);

}  // namespace attention
