/** The ONNX conformance cases, where the folder is present, told in the words of the package's interface. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { OracleOptions } from './oracle/attention.ts';
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
type Plain = Omit<OracleOptions, 'mask' | 'attentionMask'> & { mask?: Numbers };
export type ConformanceCase = { name: string } & (
  | ({ op: 'Softmax'; x: Numbers; axis: number } & Expected)
  | ({ op: 'Gelu'; x: Numbers } & Expected)
  | ({ op: 'LayerNormalization'; x: Numbers; weight: Numbers; bias: Numbers; axis: number; epsilon: number } & Expected)
  | ({
      op: 'Attention';
      q: Numbers;
      k: Numbers;
      v: Numbers;
      options: Plain;
      stage: 'scores' | 'softcapped' | 'biased' | 'probabilities';
      weights?: Exact;
    } & Expected)
);

/** Which cases the package is asked, and why the others are not. */
export function readCases(): { cases: ConformanceCase[]; notInScope: { name: string; reason: string }[] } {
  const index = JSON.parse(readFileSync(resolve(onnx, 'index.json'), 'utf8')) as {
    cases: { name: string; dir: string }[];
  };
  const cases: ConformanceCase[] = [];
  const notInScope: { name: string; reason: string }[] = [];
  for (const { dir } of index.cases) {
    const source = JSON.parse(readFileSync(resolve(onnx, dir, 'case.json'), 'utf8')) as Case;
    const reason = whyNot(source);
    if (reason) notInScope.push({ name: source.name, reason });
    else cases.push(translate(source, resolve(onnx, dir)));
  }
  return { cases, notInScope };
}

/** Attributes this adapter knows for each operator; one more means that the case asks for something else. */
const known: Record<string, readonly string[]> = {
  Attention: ['is_causal', 'q_num_heads', 'kv_num_heads', 'scale', 'qk_matmul_output_mode', 'softmax_precision'],
  LayerNormalization: ['axis', 'epsilon'],
  Softmax: ['axis'],
  Gelu: [],
};

function whyNot({ op, attributes }: Case): string | undefined {
  const allowed = known[op];
  if (!allowed) return `operator ${op} is not offered`;
  const beyond = Object.keys(attributes).filter((name) => !allowed.includes(name));
  return beyond.length > 0
    ? `attribute ${beyond.map((a) => `${a}=${attributes[a]}`).join(', ')} is not offered`
    : undefined;
}

function translate(source: Case, path: string): ConformanceCase {
  const input = (formal: string) => read(source.inputs.find((slot) => slot?.formal === formal) ?? null, path);
  const need = (formal: string) => input(formal) ?? fail(`${source.name} has no ${formal}`);
  const output = (formal: string) => read(source.outputs.find((slot) => slot?.formal === formal) ?? null, path);
  const want = (formal: string): Exact => exact(output(formal) ?? fail(`${source.name} has no ${formal}`), source);
  const attribute = (name: string, fallback: number) => Number(source.attributes[name] ?? fallback);
  const { name } = source;
  const tolerance = source.tolerance ?? (source.outputs[0]?.dtype === 'float16' ? 1e-2 : 1e-4);

  if (source.op === 'Softmax')
    return { name, op: 'Softmax', x: need('input'), axis: attribute('axis', -1), expected: want('output'), tolerance };
  if (source.op === 'Gelu') return { name, op: 'Gelu', x: need('X'), expected: want('Y'), tolerance };
  if (source.op === 'LayerNormalization')
    return {
      name,
      op: 'LayerNormalization',
      x: need('X'),
      weight: need('Scale'),
      bias: need('B'),
      axis: attribute('axis', -1),
      epsilon: attribute('epsilon', 1e-5),
      expected: want('Y'),
      tolerance,
    };

  const past = input('past_key');
  const pastLength = past?.shape[2] ?? 0;
  const valid = input('nonpad_kv_seqlen');
  const q = need('Q');
  const Sq = q.shape.at(-2) as number;
  const mask = input('attn_mask');
  const options: Plain = {
    ...(source.attributes.q_num_heads !== undefined && {
      numHeads: attribute('q_num_heads', 0),
      numKvHeads: attribute('kv_num_heads', 0),
    }),
    ...(source.attributes.scale !== undefined && { scale: attribute('scale', 0) }),
    ...(attribute('is_causal', 0) !== 0 && { causal: true }),
    ...(mask && { mask }),
    ...(valid && { kvLengths: valid.data }),
    // The past moves the queries; so does an external cache that already holds the new keys.
    ...(past && { queryOffset: pastLength }),
    ...(valid && { queryOffset: Array.from(valid.data, (length) => Number(length) - Sq) }),
  };
  const weights = output('qk_matmul_output');
  return {
    name,
    op: 'Attention',
    q,
    k: withPast(need('K'), past),
    v: withPast(need('V'), input('past_value')),
    options,
    stage:
      (['scores', 'softcapped', 'biased', 'probabilities'] as const)[attribute('qk_matmul_output_mode', 0)] ?? 'scores',
    ...(weights && { weights: exact(weights, source) }),
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
