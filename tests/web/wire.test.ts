import { expect, test } from 'vitest';
import { ruleIntegers, ruleSlots } from '../../dist/rules.js';
import type { Core } from '../../web/src/attention-module.js';
import { bytesOf, dist } from './loaded.ts';

/** What the package never sends: cpp/bindings/wire.hpp, in 32-bit words. */
const inputs = 16;
const outputs = inputs + 20 * 12;
const integers = outputs + 3 * 12;
const present = 1;

async function load(): Promise<{ core: Core; memory: WebAssembly.Memory }> {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024 });
  const glue = (await import(`${dist}attention-module.js`)) as typeof import('../../web/src/attention-module.js');
  const core = await glue.default({
    wasmMemory: memory,
    instantiateWasm(imports, done) {
      WebAssembly.instantiate(bytesOf('simd'), imports).then(({ instance, module }) => done(instance, module));
      return {};
    },
  });
  return { core, memory };
}

test('rows of a cache go to no memory that a descriptor names', async () => {
  const { core, memory } = await load();
  const words = new Uint32Array(memory.buffer, core.callAddress(), integers + 20);
  const floats = (address: number, count: number) => new Float32Array(memory.buffer, address, count);
  const cache = core.createCache(1, 1, 4, 4, 8, 0, 0, 0);
  const given = core.allocate(16);
  const other = core.allocate(32);
  floats(given, 4).set([1, 2, 3, 4]);
  floats(other, 8).fill(7);
  for (const slot of [ruleSlots, ruleSlots + 1]) words.set([present, given, 0, 4, 1, 1, 1, 4], inputs + slot * 12);
  words.set([cache, 0], integers + ruleIntegers);
  expect(core.cacheAppend()).toBe(0);
  core.finishCall();
  expect(core.cacheLength(cache)).toBe(1);

  for (const slot of [0, 1]) words.set([present, other + 16 * slot, 0, 4, 1, 1, 1, 4], outputs + slot * 12);
  expect(core.readCache(cache)).toBe(0);
  expect([...floats(other, 8)]).toEqual(Array(8).fill(7));
  for (const slot of [0, 1]) {
    const [, address = 0, , rank] = words.subarray(outputs + slot * 12);
    expect([rank, ...floats(address, 4)]).toEqual([4, 1, 2, 3, 4]);
  }
});
