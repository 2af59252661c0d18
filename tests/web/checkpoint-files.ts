import { readSafetensors } from 'attention-wasm/models';
import type { Floats, Plain } from './random.ts';
import { bytesOf, type Entry, safetensors } from './safetensors-file.ts';
import { inFile } from './synthetic-bert.ts';

type Weights = Record<string, Plain>;

/** Tensors that Hugging Face keeps outside the model's own name. */
const outside = /^(lm_head|classifier|final_logits_bias)/;

/** As a checkpoint with a task's head has them. */
export const withHead = <T extends Plain>(all: Record<string, T>, prefix: string): Record<string, T> =>
  Object.fromEntries(Object.entries(all).map(([name, tensor]) => [outside.test(name) ? name : prefix + name, tensor]));

/** The upper half of a float32, rounded to nearest, ties to even. */
function bfloat16Of(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer)[0] as number;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

const bits = ({ data }: Floats) => Uint16Array.from(data, bfloat16Of);

export const inBfloat16File = (all: Record<string, Floats>): Uint8Array<ArrayBuffer> =>
  safetensors(
    Object.fromEntries(
      Object.entries(all).map(([name, tensor]): [string, Entry] => [
        name,
        { dtype: 'BF16', shape: tensor.shape, bytes: bytesOf(bits(tensor)) },
      ]),
    ),
  );

/** What such a file stands for. */
export const throughBfloat16 = (all: Record<string, Floats>): Record<string, Floats> =>
  Object.fromEntries(
    Object.entries(all).map(([name, tensor]) => {
      const data = new Float32Array(Uint32Array.from(bits(tensor), (half) => half << 16).buffer);
      return [name, { data, shape: tensor.shape }];
    }),
  );

/** The tensors of three files, as large checkpoints are split, read and spread together. */
export function fromShards(all: Weights): Weights {
  const names = Object.keys(all);
  const shard = (n: number) =>
    readSafetensors(
      inFile(Object.fromEntries(names.filter((_, i) => i % 3 === n).map((name) => [name, all[name] as Plain]))),
    );
  return { ...shard(0), ...shard(1), ...shard(2) } as unknown as Weights;
}

/** The kinds of `files.tensors` that a family is asked for: what to give, and what it means. */
export function kindsOf(
  all: Record<string, Floats>,
  prefix: string,
  inHalves: (all: Weights) => Weights,
): [what: string, given: Weights | Uint8Array | ArrayBuffer, meant: Weights][] {
  const halved = inHalves(all);
  return [
    ['float32 tensors', all, all],
    [`'${prefix}' before the names`, withHead(all, prefix), all],
    ['half tensors', halved, halved],
    ['the bytes of a file', inFile(all), all],
    [`an ArrayBuffer with halves and '${prefix}'`, inFile(withHead(halved, prefix)).buffer as ArrayBuffer, halved],
    ['bfloat16 in a file', inBfloat16File(all), throughBfloat16(all)],
    [`three shards with '${prefix}'`, fromShards(withHead(all, prefix)), all],
  ];
}
