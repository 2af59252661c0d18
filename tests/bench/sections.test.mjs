// The sections that need no other package, in one short round each: that they run, not what they find.
import { expect, test } from 'vitest';
import { variants } from '../../bench/engines.mjs';
import { printTable } from '../../bench/print.mjs';
import { loadRoofline } from '../../bench/roofline/roofline.mjs';
import { smallCalls } from '../../bench/sections/calls.mjs';
import { decode } from '../../bench/sections/decode.mjs';
import { files } from '../../bench/sections/files.mjs';
import { generate } from '../../bench/sections/generate.mjs';
import { layers } from '../../bench/sections/layers.mjs';
import { limit } from '../../bench/sections/limit.mjs';
import { load } from '../../bench/sections/load.mjs';
import { memory } from '../../bench/sections/memory.mjs';
import { density, growth } from '../../bench/sections/sparsity.mjs';

const effort = { rounds: 1, seconds: 0, warmUp: 0 };

test.each([limit, growth, density, decode, layers, generate, smallCalls, memory, load, files])(
  '$name',
  async (section) => {
    const rows = await section.rows({ quick: true, effort });
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) {
      expect(Object.keys(section.columns)).toEqual(
        expect.arrayContaining(Object.keys(row).filter((key) => key !== 'bytesShare')),
      );
      for (const value of Object.values(row)) {
        const number = value?.median ?? value;
        if (typeof number === 'number') expect(number).toBeGreaterThan(0);
      }
    }
    printTable({ ...section, rows });
  },
);

test.each(variants)('the %s roofline reads all that it is given', async (variant) => {
  const { read, multiply } = await loadRoofline(variant);
  multiply(1e6);
  const one = read(128);
  expect(one).toBeGreaterThan(0);
  expect(read(4 * 2 ** 20) / one / 2 ** 15).toBeCloseTo(1, 3);
});
