import { smallLlamaWrites } from './cases/model.js';
import { digests } from './digests.js';
import { torture } from './torture/judge.js';

/** What an engine is asked, given the package as it is imported there and how files of the repository are read. */
export const checksOf = (pack, read) => ({
  /** The variant that is taken, once it was seen to work. */
  async variant(options) {
    const attention = await pack.createAttention(options);
    const x = { data: Float32Array.of(1, 0, 0, 2, 2, 1), shape: [3, 2] };
    const { output } = attention.scaledDotProductAttention(x, x, x, { causal: true });
    const { variant } = attention.info;
    attention.dispose();
    return { variant, firstRow: [...output.data.subarray(0, 2)] };
  },
  /** What a small model writes. */
  async generates(options) {
    const attention = await pack.createAttention(options);
    const tokens = await smallLlamaWrites((files) => pack.createModel(attention, files));
    attention.dispose();
    return tokens;
  },
  digests: (options) => digests(pack, options, read),
  torture: (options) => torture(pack, options),

  /**
   * A worker's attention beside that of this thread; five calls given up, and how often the worker was free again before
   * another one had made a quarter of such a call.
   */
  async worker(options) {
    const here = await pack.createAttention(options);
    const [there, other] = [await pack.createAttentionWorker(options), await pack.createAttentionWorker(options)];
    const x = wave([2, 64, 16]);
    const [ours, theirs] = [
      here.scaledDotProductAttention(x, x, x, { causal: true }),
      await there.scaledDotProductAttention(x, x, x, { causal: true }),
    ];
    const long = await there.tensor(wave([8, 4096, 64]));
    const half = await other.tensor(wave([8, 2048, 64]));
    const codes = [];
    let freeFirst = 0;
    for (let time = 0; time < 5; time++) {
      const controller = new AbortController();
      const { signal } = controller;
      const onProgress = (done, total) => done >= total / 4 && controller.abort();
      const call = there.scaledDotProductAttention(long, long, long, { signal, onProgress });
      codes.push(await call.then(() => 'it came to its end').catch(({ code }) => code));
      const order = [];
      await Promise.all([
        there.zeros([1]).then(() => order.push('free')),
        other.scaledDotProductAttention(half, half, half).then(() => order.push('quarter')),
      ]);
      if (order[0] === 'free') freeFirst++;
    }
    const { variant } = there.info;
    here.dispose();
    there.dispose();
    other.dispose();
    return {
      variant,
      isSame: String(ours.output.data) === String(theirs.output.data),
      codes: [...new Set(codes)],
      freeFirst,
    };
  },
});

function wave(shape) {
  const length = shape.reduce((product, size) => product * size, 1);
  return { data: Float32Array.from({ length }, (_, i) => Math.sin(i * i)), shape };
}
