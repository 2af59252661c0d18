import { type Bits, bitAt, blockSize, emptyBits, setRow } from './bits.js';
import { Latest } from './latest.js';
import type { Extent, Rule } from './rule.js';

/** A rule in the caller's words, about query position and key. */
type Asked = (batch: number, head: number, query: number, key: number) => boolean;

const extentsKept = 4;

/**
 * Pairs are asked about a block at a time, and only where a mask comes to need them; the answers are kept, so that a
 * pair is asked once however many masks the rule is part of.
 */
export function fromFunction(asked: Asked, perBatch: boolean, perHead: boolean): Rule {
  const answers = new Latest<Map<string, Bits>>(extentsKept);
  return {
    perBatch,
    perHead,
    over({ batch, head, extent }) {
      const b = perBatch ? batch : 0;
      const h = perHead ? head : 0;
      const { queries, keys, offset } = extent;
      const known = answers.get(`${queries},${keys},${offset}`, () => new Map());
      const blockOf = (row: number, column: number) => {
        const name = `${b},${h},${row},${column}`;
        let bits = known.get(name);
        if (!bits) {
          bits = askBlock((query, key) => asked(b, h, query, key), extent, row * blockSize, column * blockSize);
          known.set(name, bits);
        }
        return bits;
      };
      return {
        coverage: () => 'partial',
        mark(query, { first, end }, marks) {
          const row = query - offset;
          const bits = blockOf(Math.floor(row / blockSize), Math.floor(first / blockSize));
          for (let key = first; key < end; key++) marks[key - first] = bitAt(bits, row % blockSize, key % blockSize);
        },
      };
    },
  };
}

function askBlock(
  asked: (query: number, key: number) => boolean,
  { queries, keys, offset }: Extent,
  firstRow: number,
  firstKey: number,
): Bits {
  const bits = emptyBits();
  const marks = new Uint8Array(blockSize);
  const count = Math.min(blockSize, keys - firstKey);
  for (let r = 0; r < Math.min(blockSize, queries - firstRow); r++) {
    for (let c = 0; c < count; c++) marks[c] = asked(firstRow + r + offset, firstKey + c) ? 1 : 0;
    setRow(bits, r, marks, count);
  }
  return bits;
}
