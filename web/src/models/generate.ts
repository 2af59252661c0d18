import { integer, integers } from '../arguments.js';
import { AttentionError, invalid } from '../errors.js';
import { unlessAborted } from '../turns.js';
import type { Attention, NdArray } from '../types.js';
import { type Batch, sequence, slice } from './batch.js';
import type { Checkpoint } from './parts.js';
import { logProbability, type Sampler, sampler } from './sampling.js';
import type { GenerateOptions } from './types.js';

export const generateKeys = [
  'maxNewTokens',
  'temperature',
  'topK',
  'topP',
  'seed',
  'stop',
  'cache',
  'attention',
  'onToken',
] as const;

/** Tokens of a prompt that are read in one pass: more of them would take more memory, not less time. */
const promptBlock = 256;

/** Checked options. */
export interface Generation {
  readonly maxNewTokens: number;
  readonly sampler: Sampler;
  readonly stop: ReadonlySet<number>;
  readonly onToken: GenerateOptions['onToken'];
  /** The prompt is read in one pass: something asked for is of its size. */
  readonly isWhole: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a decoder makes of the next tokens of its one sequence. */
export type Step = (tokens: Batch) => Promise<{ logits: Float32Array; attentions: NdArray[] | undefined }>;

export function readGeneration(
  attention: Attention,
  options: GenerateOptions,
  { stop, never, unwritten = [] }: Checkpoint,
  isWhole: boolean,
): Generation {
  if (unwritten.length > 0) throw unwrittenError(unwritten);
  const { onToken } = options;
  if (onToken !== undefined && typeof onToken !== 'function') throw invalid('options.onToken', onToken, 'a function');
  return {
    maxNewTokens: integer('options.maxNewTokens', options.maxNewTokens, 1),
    sampler: sampler(attention, options, never),
    stop: new Set(options.stop === undefined ? stop : integers('options.stop', options.stop)),
    onToken,
    isWhole,
    signal: options.signal,
  };
}

/** The new ids, without prompt and stop id. The cache behind `step` then holds every token but the last. */
export async function generate(
  attention: Attention,
  prompt: Batch,
  step: Step,
  { maxNewTokens, sampler, stop, onToken, isWhole, signal }: Generation,
): Promise<Int32Array<ArrayBuffer>> {
  const ids: number[] = [];
  const block = isWhole ? prompt.length : promptBlock;
  for (let from = 0; from + block < prompt.length; from += block) await step(slice(prompt, from, from + block));
  const rest = Math.floor((prompt.length - 1) / block) * block;
  let latest = await step(slice(prompt, rest, prompt.length));
  for (;;) {
    const id = sampler(latest.logits, ids.length);
    if (stop.has(id)) break;
    ids.push(id);
    const token = {
      id,
      index: ids.length - 1,
      logProbability: onToken ? await logProbability(attention, latest.logits, id) : 0,
      attentions: latest.attentions,
    };
    if ((await unlessAborted(onToken?.(token as never), signal)) === false || ids.length === maxNewTokens) break;
    latest = await step(sequence(Int32Array.of(id)));
  }
  return Int32Array.from(ids);
}

/** @throws AttentionError where a generation would not fit, before any work. */
export function checkRoom(used: number, { maxNewTokens }: Generation, maxLength: number, capacity: number): void {
  if (used + maxNewTokens > maxLength) {
    throw invalid('options.maxNewTokens', maxNewTokens, `at most ${maxLength - used} beside ${used} tokens`);
  }
  // The last token is not read.
  if (used + maxNewTokens - 1 <= capacity) return;
  const message = `got room for ${capacity} tokens, wanted ${used + maxNewTokens - 1}`;
  throw new AttentionError('CAPACITY_EXCEEDED', 'options.cache', message);
}

function unwrittenError(keys: readonly string[]): AttentionError {
  const list = keys.map((key) => `'${key}'`).join(', ');
  const message = `config.json asks for ${list}, which generate() does not do; createModel() with ignore: [${list}] goes without`;
  return new AttentionError('INVALID_ARGUMENT', undefined, message);
}
