/** The finaliser of MurmurHash3 (Appleby 2011): spreads what it is given over 32 bits. */
export function mix(value: number): number {
  let h = (value + 0x9e3779b9) | 0; // the finaliser alone leaves 0 as it is
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
