/** The ONNX conformance cases, where the folder is present, told in the words of the package's interface. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { OracleOptions } from './oracle/attention.ts';
import type { RotaryOptions } from './oracle/rotary.ts';
import { type Exact, fromHalf, type Numbers, sizeOf, valuesOf } from './oracle/values.ts';

const folder = process.env.ATTENTION_WASM_CASES ?? resolve(import.meta.dirname, '../../../shared/cases');
const onnx = resolve(folder, 'onnx');
export const casesArePresent = existsSync(resolve(onnx, 'index.json'));
export const whereCasesBelong = onnx;

interface Slot {
  formal: string;
  dtype: string;
  shape: number[];
  file: string;
}
interface Case {
  name: string;
  op: string;
  attributes: Record<string, number | string>;
  inputs: (Slot | null)[];
  outputs: (Slot | null)[];
  tolerance?: number;
  masked_sentinel?: number;
}

interface Expected {
  expected: Exact;
  tolerance: number;
}
export type ConformanceCase = { name: string } & (
  | ({ op: 'Softmax'; x: Numbers; axis: number } & Expected)
  | ({ op: 'Gelu'; x: Numbers; approximate: 'none' | 'tanh' } & Expected)
  | ({ op: 'LayerNormalization'; x: Numbers; weight: Numbers; bias: Numbers; axis: number; epsilon: number } & Expected)
  | ({ op: 'RMSNormalization'; x: Numbers; weight: Numbers; axis: number; epsilon: number } & Expected)
  | ({ op: 'RotaryEmbedding'; x: Numbers; options: RotaryOptions } & Expected)
  | ({
      op: 'Attention';
      q: Numbers;
      k: Numbers;
      v: Numbers;
      options: OracleOptions;
      /** What k and v are put together of, where a case has a past: [B,H,P,D], and then what comes now. */
      past?: { k: Numbers; v: Numbers };
      now: { k: Numbers; v: Numbers };
      stage: 'scores' | 'softcapped' | 'biased' | 'probabilities';
      weights?: Exact;
    } & Expected)
);

/** All of them: a case that asks for what the package does not offer is an error. */
export function readCases(): ConformanceCase[] {
  const index = JSON.parse(readFileSync(resolve(onnx, 'index.json'), 'utf8')) as { cases: { dir: string }[] };
  return index.cases.map(({ dir }) => {
    const source = JSON.parse(readFileSync(resolve(onnx, dir, 'case.json'), 'utf8')) as Case;
    refuseUnknown(source);
    return translate(source, resolve(onnx, dir));
  });
}

/** Attributes this adapter knows for each operator; one more means that the case asks for something else. */
const known: Record<string, readonly string[]> = {
  Attention: [
    'is_causal',
    'q_num_heads',
    'kv_num_heads',
    'scale',
    'softcap',
    'left_window_size',
    'right_window_size',
    'qk_matmul_output_mode',
    'softmax_precision', // float32 or double: what is expected was computed so, and is compared within its tolerance
  ],
  LayerNormalization: ['axis', 'epsilon'],
  RMSNormalization: ['axis', 'epsilon'],
  RotaryEmbedding: ['interleaved', 'rotary_embedding_dim', 'num_heads'],
  Softmax: ['axis'],
  Gelu: ['approximate'],
};

function refuseUnknown({ name, op, attributes }: Case): void {
  const allowed = known[op] ?? fail(`${name}: operator ${op} is not offered`);
  const beyond = Object.keys(attributes).filter((attribute) => !allowed.includes(attribute));
  if (beyond.length > 0) fail(`${name}: attribute ${beyond} is not offered`);
}

/** What a case holds, by its formal names. */
function slotsOf(source: Case, path: string) {
  const find = (slots: (Slot | null)[], formal: string) =>
    read(slots.find((slot) => slot?.formal === formal) ?? null, path);
  const missing = (formal: string) => fail(`${source.name} has no ${formal}`);
  const input = (formal: string) => find(source.inputs, formal);
  const output = (formal: string) => {
    const tensor = find(source.outputs, formal);
    return tensor && exact(tensor, source);
  };
  return {
    input,
    need: (formal: string) => input(formal) ?? missing(formal),
    output,
    want: (formal: string) => output(formal) ?? missing(formal),
    has: (attribute: string) => source.attributes[attribute] !== undefined,
    attribute: (name: string, fallback: number) => Number(source.attributes[name] ?? fallback),
    tolerance: source.tolerance ?? (source.outputs[0]?.dtype === 'float16' ? 1e-2 : 1e-4),
  };
}

function translate(source: Case, path: string): ConformanceCase {
  const slots = slotsOf(source, path);
  const { input, need, want, has, attribute, tolerance } = slots;
  const { name } = source;
  if (source.op === 'Softmax')
    return { name, op: 'Softmax', x: need('input'), axis: attribute('axis', -1), expected: want('output'), tolerance };
  if (source.op === 'Gelu') {
    const approximate = source.attributes.approximate === 'tanh' ? 'tanh' : 'none';
    return { name, op: 'Gelu', x: need('X'), approximate, expected: want('Y'), tolerance };
  }
  const norm = () => ({ x: need('X'), axis: attribute('axis', -1), epsilon: attribute('epsilon', 1e-5), tolerance });
  if (source.op === 'LayerNormalization')
    return { name, op: 'LayerNormalization', ...norm(), weight: need('Scale'), bias: need('B'), expected: want('Y') };
  if (source.op === 'RMSNormalization')
    return { name, op: 'RMSNormalization', ...norm(), weight: need('scale'), expected: want('Y') };
  if (source.op === 'RotaryEmbedding') {
    const positions = input('position_ids')?.data;
    const options: RotaryOptions = {
      cos: need('cos_cache'),
      sin: need('sin_cache'),
      ...(positions && { positions }),
      ...(has('interleaved') && { interleaved: attribute('interleaved', 0) !== 0 }),
      ...(has('rotary_embedding_dim') && { dims: attribute('rotary_embedding_dim', 0) }),
      ...(has('num_heads') && { numHeads: attribute('num_heads', 0) }),
    };
    return { name, op: 'RotaryEmbedding', x: need('X'), options, expected: want('Y'), tolerance };
  }
  return attentionCase(name, slots);
}

function attentionCase(name: string, slots: ReturnType<typeof slotsOf>): ConformanceCase {
  const { input, need, output, want, has, attribute, tolerance } = slots;
  const past = input('past_key');
  const pastLength = past?.shape[2] ?? 0;
  const valid = input('nonpad_kv_seqlen');
  const q = need('Q');
  const Sq = q.shape.at(-2) as number;
  const mask = input('attn_mask');
  const options: OracleOptions = {
    ...(has('q_num_heads') && {
      numHeads: attribute('q_num_heads', 0),
      numKvHeads: attribute('kv_num_heads', 0),
    }),
    ...(has('scale') && { scale: attribute('scale', 0) }),
    ...(has('softcap') && { softcap: attribute('softcap', 0) }),
    ...((has('left_window_size') || has('right_window_size')) && {
      window: [attribute('left_window_size', -1), attribute('right_window_size', -1)] as const,
    }),
    ...(attribute('is_causal', 0) !== 0 && { causal: true }),
    ...(mask && { mask }),
    ...(valid && { kvLengths: valid.data }),
    // The past moves the queries; so does an external cache that already holds the new keys.
    ...(past && { queryOffset: pastLength }),
    ...(valid && { queryOffset: Array.from(valid.data, (length) => Number(length) - Sq) }),
  };
  const weights = output('qk_matmul_output');
  const now = { k: need('K'), v: need('V') };
  return {
    name,
    op: 'Attention',
    q,
    k: withPast(now.k, past),
    v: withPast(now.v, input('past_value')),
    options,
    ...(past && { past: { k: past, v: need('past_value') } }),
    now,
    stage:
      (['scores', 'softcapped', 'biased', 'probabilities'] as const)[attribute('qk_matmul_output_mode', 0)] ?? 'scores',
    ...(weights && { weights }),
    expected: want('Y'),
    tolerance,
  };
}

/** [B,H,P,D] before [B,H,S,D], or before packed [B,S,H·D]. */
function withPast(now: Numbers, past: Numbers | undefined): Numbers {
  if (!past) return now;
  const [B = 0, H = 0, P = 0, D = 0] = past.shape;
  const packed = now.shape.length === 3;
  const S = now.shape[packed ? 1 : 2] as number;
  const data = new Float64Array(B * H * (P + S) * D);
  const [before, after] = [valuesOf(past), valuesOf(now)];
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let s = 0; s < P + S; s++)
        for (let d = 0; d < D; d++) {
          const old = ((b * H + h) * P + s) * D + d;
          const fresh = packed ? ((b * S + s - P) * H + h) * D + d : ((b * H + h) * S + s - P) * D + d;
          const to = packed ? ((b * (P + S) + s) * H + h) * D + d : ((b * H + h) * (P + S) + s) * D + d;
          data[to] = (s < P ? before[old] : after[fresh]) as number;
        }
  return { data: Float32Array.from(data), shape: packed ? [B, P + S, H * D] : [B, H, P + S, D] };
}

function read(slot: Slot | null, path: string): Numbers | undefined {
  if (!slot) return undefined;
  const bytes = new Uint8Array(readFileSync(resolve(path, slot.file))).buffer;
  const arrays = {
    float32: Float32Array,
    float16: Uint16Array,
    bool: Uint8Array,
    int64: BigInt64Array,
    int32: Int32Array,
  };
  const Data = arrays[slot.dtype as keyof typeof arrays] ?? fail(`unknown dtype ${slot.dtype}`);
  const data = new Data(bytes);
  if (data.length !== sizeOf(slot.shape)) fail(`${path}/${slot.file} is not of shape [${slot.shape}]`);
  return { data, shape: slot.shape, dtype: slot.dtype };
}

function exact(tensor: Numbers, source: Case): Exact {
  const plain =
    tensor.dtype === 'float16' ? { ...tensor, data: Array.from(tensor.data, (x) => fromHalf(Number(x))) } : tensor;
  const data = Float64Array.from(plain.data as ArrayLike<number>, (x) =>
    Number(x) === source.masked_sentinel ? -Infinity : Number(x),
  );
  return { data, shape: tensor.shape };
}

function fail(message: string): never {
  throw new Error(message);
}
