import { checkKeys } from './arguments.js';
import type { Engine } from './engine.js';
import { AttentionError, invalid, refused } from './errors.js';
import { operand } from './operand.js';
import { type PlainTensor, plainTensor, weightOf } from './state-dict.js';
import type { StateDict } from './types.js';

/** The modules of torch.nn, and what they are made of. */
const modules = {
  TransformerEncoderLayer: { isDecoder: false, isStack: false },
  TransformerDecoderLayer: { isDecoder: true, isStack: false },
  TransformerEncoder: { isDecoder: false, isStack: true },
  TransformerDecoder: { isDecoder: true, isStack: true },
} as const;
export type TorchModule = keyof typeof modules;

/** A state dict that is complete and has nothing else. */
export interface TransformerDict {
  readonly isDecoder: boolean;
  readonly isStack: boolean;
  readonly embedDim: number;
  /** What the names of each layer begin with. */
  readonly layers: readonly string[];
  /** What the name of the last LayerNorm begins with, if there is one. */
  readonly norm: string | undefined;
  /** By their names in the state dict. */
  readonly tensors: ReadonlyMap<string, PlainTensor>;
}

type Shape = (E: number, F: number) => number[];
type Shapes = Readonly<Record<string, Shape>>;

const heads: Shapes = {
  in_proj_weight: (E) => [3 * E, E],
  in_proj_bias: (E) => [3 * E],
  'out_proj.weight': (E) => [E, E],
  'out_proj.bias': (E) => [E],
};
const norm: Shapes = { weight: (E) => [E], bias: (E) => [E] };
const encoderLayer: Shapes = {
  ...under('self_attn.', heads),
  'linear1.weight': (E, F) => [F, E],
  'linear1.bias': (_, F) => [F],
  'linear2.weight': (E, F) => [E, F],
  'linear2.bias': (E) => [E],
  ...under('norm1.', norm),
  ...under('norm2.', norm),
};
const decoderLayer: Shapes = { ...encoderLayer, ...under('multihead_attn.', heads), ...under('norm3.', norm) };

function under(prefix: string, shapes: Shapes): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
}

/** Reads the state dict of a module: which layers it has, whether they have biases, and all of its tensors. */
export function readTransformer(engine: Engine, module: TorchModule, given: StateDict): TransformerDict {
  if (given === undefined) throw invalid('stateDict', given, 'an object');
  checkKeys('stateDict', given, Object.keys(Object(given)));
  const dict = new Map(Object.entries(given).filter(([, value]) => value !== undefined));
  const { isDecoder, isStack } = modules[module];
  const prefix = prefixOf([...dict.keys()], isStack);
  const layers = isStack ? layersOf([...dict.keys()], prefix) : [prefix];
  const shapes = shapesOf(dict, layers, isDecoder ? decoderLayer : encoderLayer);
  const hasNorm = isStack && dict.has(`${prefix}norm.weight`);
  if (hasNorm) {
    for (const [name, shape] of Object.entries(under(`${prefix}norm.`, norm))) {
      if (dict.has(name)) shapes.set(name, shape);
    }
  }
  refuseOthers(module, dict, shapes);

  const [F, E] = sizesOf(`${layers[0]}linear1.weight`, dict);
  const tensors = new Map(
    Array.from(shapes, ([name, shape]) => {
      return [name, plainTensor(engine, weightOf(`stateDict.${name}`, dict.get(name), shape(E, F)))] as const;
    }),
  );
  return { isDecoder, isStack, embedDim: E, layers, norm: hasNorm ? `${prefix}norm.` : undefined, tensors };
}

/** What stands before the names of the module: nothing, or as much as ends with a point. */
function prefixOf(names: readonly string[], isStack: boolean): string {
  const pattern = isStack ? /^(.*\.)?layers\.\d+\.self_attn\./ : /^(.*\.)?self_attn\./;
  const prefixes = new Set(names.flatMap((name) => pattern.exec(name)?.slice(1) ?? []).map((prefix) => prefix ?? ''));
  if (prefixes.size <= 1) return [...prefixes][0] ?? '';
  const found = Array.from(prefixes, (prefix) => `'${prefix}'`).join(', ');
  throw refused('stateDict', `several modules, under ${found}`, 'the names of one');
}

/** As many layers as there are numbers, counted from 0; one at least. */
function layersOf(names: readonly string[], prefix: string): string[] {
  const numbers = names.flatMap((name) => {
    return name.startsWith(prefix) ? (/^layers\.(\d+)\./.exec(name.slice(prefix.length))?.[1] ?? []) : [];
  });
  return Array.from({ length: new Set(numbers).size || 1 }, (_, layer) => `${prefix}layers.${layer}.`);
}

/** The tensors of all layers: with biases if one is there. */
function shapesOf(dict: ReadonlyMap<string, unknown>, layers: readonly string[], layer: Shapes): Map<string, Shape> {
  const all = layers.flatMap((prefix) => Object.entries(under(prefix, layer)));
  const isBias = (name: string) => name.endsWith('bias');
  const hasBiases = all.some(([name]) => isBias(name) && dict.has(name));
  return new Map(all.filter(([name]) => hasBiases || !isBias(name)));
}

function refuseOthers(
  module: TorchModule,
  dict: ReadonlyMap<string, unknown>,
  wanted: ReadonlyMap<string, unknown>,
): void {
  const missing = [...wanted.keys()].filter((name) => !dict.has(name));
  const unknown = [...dict.keys()].filter((name) => !wanted.has(name));
  if (missing.length === 0 && unknown.length === 0) return;
  const found = [
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(unknown.length > 0 ? [`unknown ${unknown.join(', ')}`] : []),
    `wanted the names of torch.nn.${module}`,
  ];
  throw new AttentionError('INVALID_ARGUMENT', 'stateDict', found.join('; '));
}

function sizesOf(name: string, dict: ReadonlyMap<string, unknown>): [F: number, E: number] {
  const { shape } = operand(`stateDict.${name}`, dict.get(name));
  if (shape.length === 2 && !shape.includes(0)) return [...shape] as [number, number];
  throw new AttentionError('SHAPE_MISMATCH', `stateDict.${name}`, `got shape [${shape}], wanted [F,E], sizes from 1`);
}
