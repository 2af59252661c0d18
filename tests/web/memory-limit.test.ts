import { type Attention, createAttention } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { expectClose } from './compare.ts';
import { attention as oracle } from './oracle/attention.ts';
import { Random } from './random.ts';
import { allVariants, load } from './variants.ts';

const random = new Random(13);
const x = random.tensor([5, 8]);

function works(engine: Attention): void {
  expectClose(engine.scaledDotProductAttention(x, x, x).output, oracle(x, x, x).output, 1e-5);
}

describe.each(allVariants)('memory limit (%s)', (variant) => {
  const limit = 48 << 20;
  const outOfMemory = expect.objectContaining({ code: 'OUT_OF_MEMORY' });
  test('past it comes OUT_OF_MEMORY, and the engine works on', async () => {
    const engine = await createAttention({ ...load(variant), maximumMemoryBytes: limit });
    works(engine);
    const kept = engine.tensor(x);
    expect(() => engine.zeros([limit / 4])).toThrow(outOfMemory);
    expect(() => engine.softmax({ data: new Float32Array(limit / 4), shape: [limit / 4] })).toThrow(outOfMemory);
    const long = random.tensor([4000, 1]);
    expect(() => engine.scaledDotProductAttention(long, long, long, { weights: true })).toThrow(outOfMemory);
    works(engine);
    expect(Array.from(kept.data)).toEqual(Array.from(x.data));
    const held: unknown[] = [];
    expect(() => {
      for (let n = 0; n < 100; n++) held.push(engine.zeros([1 << 18]));
    }).toThrow(outOfMemory);
    expect(held.length).toBeGreaterThan(8);
    expect(engine.info.memoryBytes).toBeLessThanOrEqual(limit);
    for (const tensor of held as { dispose(): void }[]) tensor.dispose();
    works(engine);
    engine.dispose();
  });
  test('embedding copies only the rows asked for', async () => {
    const engine = await createAttention({ ...load(variant), maximumMemoryBytes: limit });
    const rows = limit / 64;
    const table = { data: new Float32Array(rows * 32), shape: [rows, 32] };
    table.data.fill(7, (rows - 1) * 32);
    const halves = {
      data: new Uint16Array(rows * 64).fill(0x3c00, (rows - 1) * 64),
      shape: [rows, 64],
      dtype: 'float16',
    } as const;
    expect(Array.from(engine.embedding([0, rows - 1], table).data)).toEqual([
      ...Array(32).fill(0),
      ...Array(32).fill(7),
    ]);
    expect(Array.from(engine.embedding([rows - 1], halves).data)).toEqual(Array(64).fill(1));
    engine.dispose();
  });
  test('the same attention without the tap fits', async () => {
    const engine = await createAttention({ ...load(variant), maximumMemoryBytes: limit });
    const long = random.tensor([4000, 1]);
    expect(engine.scaledDotProductAttention(long, long, long).output.shape).toEqual([4000, 1]);
    engine.dispose();
  });
});
