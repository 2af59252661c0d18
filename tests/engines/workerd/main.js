// A Cloudflare Worker of the package: each request asks for a check by its name and its arguments as JSON. Nothing can be
// compiled there, so that engines are made of modules that were imported.
import { checksOf } from '../checks.js';
import relaxed from '../dist/attention-relaxed-simd.wasm';
import simd from '../dist/attention-simd.wasm';
import { createAttention } from '../dist/index.js';
import { createModel } from '../dist/models.js';
import { createAttentionWorker } from '../dist/worker.js';

/** Made before there is a request, when a worker may do the least. */
const early = checksOf({ createAttention: () => createAttention({ wasm: simd }), createModel }).generates();

const refusal = (call) =>
  call().then(
    () => 'it was not refused',
    ({ name, code, message }) => ({ name, code, message }),
  );

const checksIn = (files) => {
  const read = async (path) => new Uint8Array(await (await files.fetch(`http://files/${path}`)).arrayBuffer());
  const given = ({ variant, ...options } = {}) => ({ ...options, wasm: variant === 'relaxed-simd' ? relaxed : simd });
  return {
    ...checksOf({ createAttention: (options) => createAttention(given(options)), createModel }, read),
    early: () => early,
    info: async (options) => (await createAttention(given(options))).info,
    async refusals() {
      const bytes = await read('dist/attention-simd.wasm');
      return {
        'no wasm': await refusal(() => createAttention()),
        bytes: await refusal(() => createAttention({ wasm: bytes })),
        threads: await refusal(() => createAttention({ wasm: simd, threads: 2 })),
        'a worker': await refusal(() => createAttentionWorker({ wasm: simd })),
      };
    },
  };
};

export default {
  async fetch(request, { files }) {
    const [name, ...args] = await request.json();
    return Response.json(await checksIn(files)[name](...args));
  },
};
