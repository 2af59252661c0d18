#pragma once

#include <cstddef>
#include <xsimd/xsimd.hpp>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

/// The one place that knows instruction sets. Everything above is written once, for any number of lanes.
namespace attention::simd {

#if defined(__wasm_relaxed_simd__)
/// xsimd's WebAssembly lanes with the fused multiply-add that the relaxed instructions bring.
struct RelaxedWasm {};
using DefaultArch = RelaxedWasm;
#else
using DefaultArch = xsimd::default_arch;
#endif

/// The xsimd architecture whose registers and instructions `Arch` uses.
template <class Arch>
struct LanesOf {
  using type = Arch;
};
#if defined(__wasm_relaxed_simd__)
template <>
struct LanesOf<RelaxedWasm> {
  using type = xsimd::wasm;
};
#endif

template <class Arch>
using Floats = xsimd::batch<float, typename LanesOf<Arch>::type>;

template <class Arch>
inline constexpr size_t kLanes = Floats<Arch>::size;

/// All lanes `value`, where the compiler cannot see it. V8 builds a vector literal anew at each use inside a
/// loop, which made an exponential 2.5 times slower: constants of loops are made here, once, before the loop.
template <class Arch>
inline Floats<Arch> held(float value) {
  const volatile float hidden = value;
  return Floats<Arch>(hidden);
}

/// a·b + c. Fused where the architecture fuses. The relaxed instruction is called by name because xsimd's
/// WebAssembly fma is a multiplication and an addition, and the compiler may not fuse them itself.
template <class Arch>
inline Floats<Arch> multiplyAdd(Floats<Arch> a, Floats<Arch> b, Floats<Arch> c) {
#if defined(__wasm_relaxed_simd__)
  if constexpr (std::is_same_v<Arch, RelaxedWasm>) return wasm_f32x4_relaxed_madd(a, b, c);
#endif
  return xsimd::fma(a, b, c);
}

/// The larger one; `a` where `a` is not a number, so that maximum(limit, x) drops NaN and maximum(x, limit)
/// keeps it. One instruction everywhere: pmax in WebAssembly, maxps with its operands swapped on x86.
template <class Arch>
inline Floats<Arch> maximum(Floats<Arch> a, Floats<Arch> b) {
#if defined(__wasm_simd128__)
  return wasm_f32x4_pmax(a, b);
#else
  return xsimd::select(a < b, b, a);
#endif
}

}  // namespace attention::simd
