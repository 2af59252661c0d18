/**
 * The error function in double.
 * Small |x|: erf(x) = 2/√π · e^(−x²) · Σ_n 2ⁿ x^(2n+1) / (1·3·5···(2n+1)); every term has the sign of x, so nothing cancels.
 * Large x: erfc(x) = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + 2/(x + …))))), evaluated from its far end.
 */
export function erf(x: number): number {
  return Math.abs(x) < 2.5 ? series(x) : x > 0 ? 1 - tail(x) : tail(-x) - 1;
}

export function erfc(x: number): number {
  return x < 2.5 ? 1 - erf(x) : tail(x);
}

function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 100; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function tail(x: number): number {
  let fraction = x;
  for (let n = 200; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}
