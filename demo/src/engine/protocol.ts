import type { Cut } from './limits';
import type { MaskSpec } from './mask';

/** Which model reads; 'long' is none: queries and keys of any length, made by a rule. */
export type ModelName = 'int8' | 'float16' | 'no-positions' | 'own' | 'long';

/** Everything that a pass through the model depends on. */
export interface PassSpec {
  model: ModelName;
  /** Which of the own models that were opened, in order. */
  own?: number;
  text: string;
  /** Tokens of the 'long' sequence. */
  length: number;
  mask: MaskSpec;
  /** Heads switched off. */
  ablated: readonly (readonly [layer: number, head: number])[];
  /** Scores are divided by it. */
  temperature: number;
}

/** How a pass is looked at. */
export interface LensSpec {
  /** Each head by itself, or all heads of the layers so far multiplied into one (Abnar & Zuidema 2020). */
  kind: 'heads' | 'rollout';
  /** Without the first and last special tokens; rows are renormalised over what is left. */
  hideSeparators: boolean;
  /** α, or the share of ‖α·v‖ (Kobayashi et al. 2020). */
  weighting: 'attention' | 'value';
}

export interface Place {
  layer: number;
  head: number;
}

export interface ModelInfo {
  title: string;
  type: string;
  layers: number;
  heads: number;
  /** Bytes the weights take in memory. */
  bytes: number;
  maxLength: number;
  /** Whether it writes: then generating is offered. */
  isDecoder: boolean;
  weights: 'int8' | 'float16' | 'float32' | 'none';
}

/** One text as the model read it. */
export interface Reading {
  pass: PassSpec;
  model: ModelInfo;
  tokens: string[];
  ids: number[];
  /** Shown tokens when the separators are hidden: half-open. */
  inner: readonly [number, number];
  cut: Cut | null;
  /** Whether the model itself hides later tokens. */
  isCausal: boolean;
  /** Share of pairs that attend. */
  density: number;
  /** Of the forward pass; null where it was computed at build time. */
  milliseconds: number | null;
  /** Of each layer, in order. */
  layerMilliseconds: number[];
  engine: { variant: string; threads: number; memoryBytes: number } | null;
}

/** Every head as a picture of side × side cells: the largest weight of each block. */
export interface Overview {
  layers: number;
  heads: number;
  side: number;
  /** [layers, heads, side, side] */
  cells: Float32Array;
}

/** One head: weights are exp(scale·q·k + keyBias − logSumExp) where a pair attends, else 0. */
export interface HeadData extends Place {
  /** Tells whose tiles they are. */
  serial: number;
  lens: LensSpec;
  size: number;
  dims: number;
  /** [S, D] */
  query: Float32Array;
  key: Float32Array;
  /** [S, Dv]; none where weights were multiplied, or made at build time. */
  value: Float32Array | null;
  /** [S]; log ‖v‖ where weights are shares of ‖α·v‖. */
  keyBias: Float32Array | null;
  /** [S] */
  logSumExp: Float32Array;
  scale: number;
  /** Shown tokens: half-open. */
  range: readonly [number, number];
  mask: MaskSpec;
  isCausal: boolean;
  /** The whole of the range in at most 256 × 256 cells. */
  root: Tile;
}

/** A rectangle of the matrix, pooled by its largest weights. Counted within the shown range. */
export interface Tile {
  rows: readonly [number, number];
  columns: readonly [number, number];
  /** How many cells it has, downwards and across. */
  size: readonly [number, number];
  cells: Float32Array;
}

/** Of a pinned head, the current one, or what the current one has more. */
export type TileSource = 'current' | 'pinned' | 'difference';

export interface TileSpec {
  source: TileSource;
  rows: readonly [number, number];
  columns: readonly [number, number];
  size: readonly [number, number];
}

/** Questions beside what is on screen; each is a function of engine/calls. */
export interface CallRequest {
  type: 'call';
  id: number;
  name: string;
  argument: unknown;
}

export type Request =
  /** Newer ones end the work on older ones. */
  | { type: 'look'; pass: PassSpec; lens: LensSpec; place: Place }
  | { type: 'tile'; id: number; serial: number; tile: TileSpec }
  | CallRequest;

/** What of a look is new since the one before. */
export interface Look {
  reading?: Reading;
  overview?: Overview;
  head?: HeadData;
}

export type Answer =
  | { type: 'progress'; loaded: number; total: number }
  /** The tokenizer of the visitor's own model begins, or has done. */
  | { type: 'tokenizing'; isOver: boolean }
  | { type: 'look'; look: Look }
  /** Null where the head has changed meanwhile. */
  | { type: 'tile'; id: number; tile: Tile | null }
  | { type: 'event'; id: number; value: unknown }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'refused'; id: number; message: string }
  | { type: 'failed'; message: string };
