import { attention, type OracleOptions } from './attention.ts';
import { gelu, geluTanh, relu, silu } from './layers.ts';
import { type Exact, type Numbers, sizeOf, valuesOf } from './values.ts';

/** What a caller may change in the attentions of a model, beside the model's own rules. */
export interface Hooks {
  /** For each token whether others may attend to it, those of the past included. */
  attends?: readonly number[];
  /** What each layer may see beside the model's own rule. */
  mask?: (layer: number) => Pick<OracleOptions, 'mask' | 'rule'>;
  /** Heads whose attended values become zero before the output projection. */
  ablate?: readonly (readonly [layer: number, head: number])[];
  /** Scores are divided by it. */
  temperature?: number;
}

/** [1,H,S,D], [1,Hkv,Skv,D] twice, [1,H,S]: any probability is exp(scale·q·k − logSumExp). */
export interface Projections {
  query: Exact;
  key: Exact;
  value: Exact;
  logSumExp: Exact;
  scale: number;
}

/** What one sequence leaves in a model: every state [S,E], every map [1,H,S,Skv]. */
export interface Trace {
  /** The embeddings, then each layer's output, before a final norm. */
  hiddenStates: Exact[];
  lastHiddenState: Exact;
  attentions: Exact[];
  projections: Projections[];
  /** [S,V], or [1,labels]. */
  logits?: Exact;
}

/** Keys and values [S,Hkv·D] of each layer, as attention reads them. */
export interface Past {
  readonly keys: readonly Exact[];
  readonly values: readonly Exact[];
}
export interface DecoderTrace extends Trace {
  logits: Exact;
  past: Past;
}
export const lengthOf = (past: Past | undefined): number => past?.keys[0]?.shape[0] ?? 0;

export interface Attended {
  /** [S,H·D]: what goes into the output projection. */
  output: Exact;
  probabilities: Exact;
  projections: Projections;
}

/** One layer's attention over packed heads [S,H·D]. */
export function attend(
  layer: number,
  [q, k, v]: readonly [Exact, Exact, Exact],
  own: OracleOptions & { numHeads: number },
  { attends, mask, ablate = [], temperature = 1 }: Hooks = {},
): Attended {
  const { numHeads: H, numKvHeads: Hkv = H } = own;
  const D = (q.shape[1] as number) / H;
  const scale = (own.scale ?? 1 / Math.sqrt(D)) / temperature;
  const attentionMask = attends && { data: attends, shape: [1, attends.length] };
  const { output, probabilities, logSumExp } = attention(q, k, v, { ...own, ...mask?.(layer), scale, attentionMask });
  for (const [where, head] of ablate) if (where === layer) silence(output, head, D);
  const [query, key, value] = [headMajor(q, H), headMajor(k, Hkv), headMajor(v, Hkv)];
  return { output, probabilities, projections: { query, key, value, logSumExp, scale } };
}

function silence({ data, shape }: Exact, head: number, D: number): void {
  const [S = 0, width = 0] = shape;
  for (let s = 0; s < S; s++) data.fill(0, s * width + head * D, s * width + (head + 1) * D);
}

/** [S,H·D] → [1,H,S,D]. */
export function headMajor({ data, shape }: Exact, H: number): Exact {
  const [S = 0, width = 0] = shape;
  const D = width / H;
  const out = new Float64Array(data.length);
  for (let h = 0; h < H; h++)
    for (let s = 0; s < S; s++) out.set(data.subarray(s * width + h * D, s * width + (h + 1) * D), (h * S + s) * D);
  return { data: out, shape: [1, H, S, D] };
}

/** Token s stands behind as many as are attended before it; what is not attended itself has no meaning. */
export function positionsOf(attends: readonly number[]): number[] {
  let count = 0;
  return attends.map((attended) => {
    if (attended) count++;
    return Math.max(0, count - 1);
  });
}

/** The rows of one under those of the other. */
export function below(above: Exact | undefined, rows: Exact): Exact {
  if (!above) return rows;
  const data = Float64Array.from([...above.data, ...rows.data]);
  return { data, shape: [(above.shape[0] as number) + (rows.shape[0] as number), rows.shape[1] as number] };
}

export const rowsOf = ({ data, shape }: Exact, from: number, to: number): Exact => {
  const width = sizeOf(shape.slice(1));
  return { data: data.subarray(from * width, to * width), shape: [to - from, ...shape.slice(1)] };
};

export function transposed(x: Numbers): Exact {
  const [rows = 0, columns = 0] = x.shape;
  const [from, data] = [valuesOf(x), new Float64Array(rows * columns)];
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) data[c * rows + r] = from[r * columns + c] as number;
  return { data, shape: [columns, rows] };
}

/** By the names Hugging Face gives them. */
export function activation(name: string): (x: number) => number {
  const known: Record<string, (x: number) => number> = {
    gelu,
    gelu_new: geluTanh,
    gelu_pytorch_tanh: geluTanh,
    relu,
    silu,
    swish: silu,
  };
  return known[name] ?? fail(`the oracle has no activation ${name}`);
}

/** Reads a checkpoint: a tensor that is not there is the test's mistake. */
export const reader =
  (tensors: Readonly<Record<string, Numbers>>) =>
  (name: string): Numbers =>
    tensors[name] ?? fail(`the checkpoint has no ${name}`);

export function fail(message: string): never {
  throw new Error(message);
}

/** The largest of a row, and how far the next one is below it. */
export function argmax(row: ArrayLike<number>): { id: number; lead: number } {
  const order = Array.from(row, (value, id) => ({ value, id })).sort((a, b) => b.value - a.value);
  const [first, second] = order as [{ value: number; id: number }, { value: number; id: number }];
  return { id: first.id, lead: first.value - second.value };
}
