import {
  type Attention,
  type NdArray,
  type StateDict,
  type TensorLike,
  type TransformerConfig,
  type TransformerDecoderOptions,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from 'attention-wasm';

const makers = {
  TransformerEncoderLayer: transformerEncoderLayer,
  TransformerDecoderLayer: transformerDecoderLayer,
  TransformerEncoder: transformerEncoder,
  TransformerDecoder: transformerDecoder,
};
export type TorchModule = keyof typeof makers;
export const torchModules = Object.keys(makers) as TorchModule[];

export const isDecoder = (module: TorchModule): boolean => module.includes('Decoder');
export const isStack = (module: TorchModule): boolean => !module.endsWith('Layer');

/** All four in one form: maps as lists, memory of decoders only. */
export interface Loaded extends Disposable {
  forward(
    x: TensorLike,
    memory: TensorLike | undefined,
    options?: TransformerDecoderOptions,
  ): { output: NdArray; weights: NdArray[] | undefined; crossWeights: NdArray[] | undefined };
  dispose(): void;
}

type Made = { forward(...args: unknown[]): Record<string, unknown>; dispose(): void };

export function load(engine: Attention, module: TorchModule, config: TransformerConfig, stateDict: StateDict): Loaded {
  const made = makers[module](engine, config, stateDict) as unknown as Made;
  const listed = (maps: unknown) => (maps === undefined || isStack(module) ? maps : [maps]) as NdArray[] | undefined;
  return {
    forward: (x, memory, options) => {
      const given = isDecoder(module) ? [memory, options] : [options];
      const { output, weights, crossWeights } = made.forward(x, ...given);
      return { output: output as NdArray, weights: listed(weights), crossWeights: listed(crossWeights) };
    },
    dispose: () => made.dispose(),
    [Symbol.dispose]: () => made.dispose(),
  };
}
