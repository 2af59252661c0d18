import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Attention, AttentionError, createAttention, type Tensor } from 'attention-wasm';
import { describe, expect, test } from 'vitest';
import { allVariants, hasThreads, load, type Variant } from './variants.ts';

const smallest = 4 << 20;
/** Two threads more need half a MiB. */
const smallestWith = (variant: Variant) => smallest + (hasThreads(variant) ? 1 << 19 : 0);

/** Takes all memory that an engine has, to the last byte that can be had. */
function exhaust(engine: Attention): Tensor[] {
  const held: Tensor[] = [];
  for (let bytes = smallest; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    for (;;) {
      try {
        held.push(engine.zeros([bytes], 'bool'));
      } catch {
        break;
      }
    }
  }
  return held;
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof AttentionError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

describe.each(allVariants)('no memory left (%s)', (variant) => {
  test('refusals come as they should, however many, and the engine works on', async () => {
    const engine = await createAttention({ ...load(variant), maximumMemoryBytes: smallestWith(variant) });
    const large = engine.zeros([200_000]);
    const small = engine.zeros([4]);
    const held = exhaust(engine);
    expect(held.length).toBeGreaterThan(0);
    const codes = new Set<string>();
    for (let n = 0; n < 10_000; n++) codes.add(codeOf(() => engine.gelu(large)));
    expect([...codes]).toEqual(['OUT_OF_MEMORY']);
    expect(codeOf(() => engine.softmax(small, { axis: 7 }))).toBe('INVALID_ARGUMENT');
    for (const tensor of [...held, large]) tensor.dispose();
    const { data } = engine.gelu({ data: Float32Array.of(1, 2), shape: [2] });
    expect(Array.from(data, (value) => value.toFixed(4))).toEqual(['0.8413', '1.9545']);
    engine.dispose();
  });

  test('sizes next to the end of the address space are refused', async () => {
    const engine = await createAttention({ ...load(variant), maximumMemoryBytes: 64 << 20 });
    for (let below = 1; below < 130; below++) {
      expect(codeOf(() => engine.sinusoidalPositions(1, 2 ** 30 - below))).toBe('OUT_OF_MEMORY');
      expect(codeOf(() => engine.zeros([2 ** 32 - below], 'bool'))).toBe('OUT_OF_MEMORY');
    }
    expect(engine.gelu({ data: Float32Array.of(0), shape: [1] }).data[0]).toBe(0);
    const sizes = { data: new Float32Array(0), shape: [2 ** 32 + 1, 0] };
    expect(codeOf(() => engine.softmax(sizes))).toBe('INVALID_ARGUMENT');
    engine.dispose();
  });

  test('a live view is copied whole although its copy makes memory grow', async () => {
    const engine = await createAttention(load(variant));
    const count = 1 << 20;
    for (const dtype of [undefined, 'float32'] as const) {
      const source = engine.zeros([count]);
      source.data.fill(7);
      const view = { data: source.data, shape: [count] };
      const copy = dtype ? engine.tensor(view, dtype) : engine.tensor(view);
      expect(copy.data.every((value) => value === 7)).toBe(true);
    }
    engine.dispose();
  });

  test('dispose gives the memory back although engine and tensors are still held', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const memories: WeakRef<WebAssembly.Memory>[] = [];
    const { Memory } = WebAssembly;
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        super(descriptor);
        memories.push(new WeakRef(this));
      }
    };
    try {
      const engine = await createAttention(load(variant));
      const tensor = engine.zeros([1000]);
      expect(memories.map((memory) => memory.deref() !== undefined)).toEqual([true]);
      engine.dispose();
      for (let turn = 0; turn < 20 && memories[0]?.deref(); turn++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        collect();
      }
      expect(memories.map((memory) => memory.deref())).toEqual([undefined]);
      expect([engine.info.memoryBytes, tensor.shape]).toEqual([0, [1000]]);
    } finally {
      WebAssembly.Memory = Memory;
    }
  });
});
