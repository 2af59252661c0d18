import { bert } from './oracle/bert.ts';
import { gpt2 } from './oracle/gpt2.ts';
import { llama } from './oracle/llama.ts';
import type { DecoderTrace, Hooks, Trace } from './oracle/model.ts';
import type { Plain } from './random.ts';
import * as ofBert from './synthetic-bert.ts';
import * as ofGpt2 from './synthetic-gpt2.ts';
import * as ofLlama from './synthetic-llama.ts';

type Config = Record<string, unknown> & { model_type: string };

/** A model that reads token ids, and what it computes. */
export interface Family<T extends Trace = Trace> {
  name: string;
  config: Config;
  tensors: Record<string, Plain>;
  causal: boolean;
  heads: number;
  layers: number;
  embedSize: number;
  /** Ids that every test may use are below it. */
  vocabulary: number;
  exact(ids: readonly number[], hooks?: Hooks, past?: DecoderTrace['past']): T;
}

const bertWeights = ofBert.weights();
export const encoder: Family = {
  name: 'BERT',
  config: ofBert.config,
  tensors: bertWeights,
  causal: false,
  heads: 3,
  layers: 3,
  embedSize: 21,
  vocabulary: 29,
  exact: (ids, hooks) => bert(ofBert.config, bertWeights, ids, hooks),
};

const gpt2Weights = ofGpt2.weights();
const llamaWeights = ofLlama.weights();
/** Llama's last position is 28, GPT-2's 22. */
export const decoders: Family<DecoderTrace>[] = [
  {
    name: 'GPT-2',
    config: ofGpt2.config,
    tensors: gpt2Weights,
    causal: true,
    heads: 3,
    layers: 3,
    embedSize: 21,
    vocabulary: 31,
    exact: (...args) => gpt2(ofGpt2.config, gpt2Weights, ...args),
  },
  {
    name: 'Llama',
    config: ofLlama.config,
    tensors: llamaWeights,
    causal: true,
    heads: 9,
    layers: 3,
    embedSize: 54,
    vocabulary: 31,
    exact: (...args) => llama(ofLlama.config, llamaWeights, ...args),
  },
];
