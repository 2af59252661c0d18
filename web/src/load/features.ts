import { tried } from '../tried.js';

/**
 * What this engine can run. A module with `f32x4.relaxed_madd` as its one instruction of interest: engines without
 * relaxed SIMD refuse it, and running it shows whether the multiply-add is fused.
 *
 *   (func (export "f") (param f32 f32 f32) (result f32)
 *     (f32x4.extract_lane 0 (f32x4.relaxed_madd (f32x4.splat a) (f32x4.splat b) (f32x4.splat c))))
 */
const relaxedProbe = Uint8Array.from([
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0, // magic, version
  1,
  8,
  1,
  96,
  3,
  125,
  125,
  125,
  1,
  125, // type: (f32 f32 f32) -> f32
  3,
  2,
  1,
  0, // one function
  7,
  5,
  1,
  1,
  102,
  0,
  0, // export "f"
  10,
  22,
  1,
  20,
  0, // code: no locals
  32,
  0,
  253,
  19,
  32,
  1,
  253,
  19,
  32,
  2,
  253,
  19, // three splats
  253,
  133,
  2, // f32x4.relaxed_madd
  253,
  31,
  0,
  11, // f32x4.extract_lane 0, end
]);

/** As above with i8x16.splat and a plain lane extraction: SIMD itself. */
const simdProbe = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 10, 11, 1, 9, 0, 65, 0, 253, 15, 253, 27, 0, 11,
]);

export function hasSimd(): boolean {
  return isValid(simdProbe);
}

export function hasRelaxedSimd(): boolean {
  return isValid(relaxedProbe);
}

/**
 * True where relaxed multiply-add exists and rounds once. Unfused (Bun) it is no faster than the plain variant, whose
 * tile fits 16 registers better. False where code may not be made from bytes.
 */
export function hasFusedRelaxedSimd(): boolean {
  const probe = tried(() => new WebAssembly.Instance(new WebAssembly.Module(relaxedProbe)));
  if (!probe) return false;
  const multiplyAdd = probe.exports.f as (a: number, b: number, c: number) => number;
  // (1 + 2⁻¹²)² = 1 + 2⁻¹¹ + 2⁻²⁴: the last term survives only where the product is not rounded first.
  const a = 1 + 2 ** -12;
  return multiplyAdd(a, a, -(1 + 2 ** -11)) === 2 ** -24;
}

export function isValid(bytes: Uint8Array<ArrayBuffer>): boolean {
  return tried(() => WebAssembly.validate(bytes)) === true;
}
