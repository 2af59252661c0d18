/** Queries and keys of a block of the block map. */
export const blockSize = 64;

/**
 * A block's pairs, two words a row: bit (c & 31) of word (c >> 5) of row r says whether pair (r, c) attends.
 */
export type Bits = Int32Array;

const wordsPerRow = blockSize / 32;
export const wordsPerBlock = blockSize * wordsPerRow;

export function emptyBits(): Bits {
  return new Int32Array(wordsPerBlock);
}

export function setRow(bits: Bits, row: number, marks: Uint8Array, count: number): void {
  for (let word = 0; word < wordsPerRow; word++) {
    const end = Math.min(count, (word + 1) * 32);
    let value = 0;
    for (let c = word * 32; c < end; c++) value |= (marks[c] as number) << (c & 31);
    bits[row * wordsPerRow + word] = value;
  }
}

export function bitAt(bits: Bits, row: number, column: number): number {
  return ((bits[row * wordsPerRow + (column >> 5)] as number) >>> (column & 31)) & 1;
}

export function countBits(bits: Bits): number {
  let count = 0;
  for (const word of bits) count += ones(word);
  return count;
}

/** Sums of 2, 4 and 8 neighbouring bits, then of the four bytes (Warren, Hacker's Delight, figure 5-2). */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  const bytes = (fours + (fours >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bytes, 0x01010101) >>> 24;
}
