/** What race/ort.json says where onnxruntime-web was served along with the page. */
export interface RaceFiles {
  version: string;
  /** Its script, which finds its core beside itself. */
  module: string;
  /** ONNX files of one operator each, over [1, H, S, D] and over [1, S, H·D]. */
  models: Record<Operator, string>;
  shape: Shape;
  /** What either has to fetch, uncompressed. */
  bytes: { ours: number; theirs: number };
}

export interface Shape {
  heads: number;
  length: number;
  size: number;
}

/** Which of them is faster depends on the shape. */
export type Operator = 'Attention' | 'MultiHeadAttention';
export type Runner = 'ours' | Operator;

export interface RaceRequest {
  /** The address of race/, with its slash. */
  folder: string;
  files: RaceFiles;
}

export type RaceAnswer =
  /** Milliseconds of each round. */
  { type: 'result'; times: Record<Runner, number[]>; variant: string } | { type: 'failed'; message: string };
