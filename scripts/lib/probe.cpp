// The smallest module that needs all the project asks of Emscripten: relaxed SIMD, and Embind glue made at link time.
#include <emscripten/bind.h>
#include <wasm_simd128.h>

float multiplyAdd(float a, float b, float c) {
  const v128_t sum = wasm_f32x4_relaxed_madd(wasm_f32x4_splat(a), wasm_f32x4_splat(b), wasm_f32x4_splat(c));
  return wasm_f32x4_extract_lane(sum, 0);
}

EMSCRIPTEN_BINDINGS(probe) { emscripten::function("multiplyAdd", &multiplyAdd); }
