import { cutTokens } from '../limits';
import { ruleOf } from '../mask';
import { optionsOf } from '../pass';
import type { PassSpec } from '../protocol';
import type { Session } from '../session';

export interface GenerateSpec {
  /** What is on screen: its text goes on, under its mask and with its heads off. */
  pass: PassSpec;
  count: number;
  /** 0: always the most likely token. */
  temperature: number;
  /** Only so many of the most likely tokens. */
  topK: number | null;
  /** The same seed, the same tokens. */
  seed: number;
}

/** One token more. */
export interface Written {
  text: string;
  id: number;
}

export interface Generated {
  ids: number[];
  /** Why it ended: all were written, the model ended its text, it reads no more, or the visitor stopped it. */
  ending: 'count' | 'text' | 'room' | 'stop';
}

/** Milliseconds that the next token waits for this one to be on screen, so that attention grows with the text. */
const longestWait = 1000;

let current = new AbortController();

/** Ends what is being written, within a token. */
export function stopGenerating(): void {
  current.abort();
}

/** Lets the newest own model go on with a text, a token at a time: between two of them readings get their turn. */
export async function generate(
  session: Session,
  { pass, count, ...sampling }: GenerateSpec,
  tell: (written: Written) => void,
): Promise<Generated> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const { model, info, encode, extend } = await session.models.get('own');
  if (!info.isDecoder || !extend) throw new Error('This model does not write: a GPT-2 or Llama does.');
  const { ids, cut } = cutTokens(pass.text, encode, model.maxLength);
  if (ids.length === 0) throw new Error('There is nothing to go on with: type a beginning.');
  const room = cut ? 0 : Math.min(count, model.maxLength - ids.length);
  const written: number[] = [];
  // Padding stands at the end, and the end moves.
  const rule = ruleOf({ ...pass.mask, padding: 0 }, model.maxLength);
  const { logits: _logits, ...changes } = optionsOf(info, pass, rule);
  const cache = model.createCache({ capacity: ids.length + room });
  try {
    while (written.length < room && !signal.aborted) {
      const [id] = await model.generate(written.length === 0 ? ids : written.slice(-1), {
        ...changes,
        ...samplingOf(sampling, written.length),
        maxNewTokens: 1,
        cache,
        signal,
      });
      if (id === undefined) return { ids: written, ending: 'text' };
      written.push(id);
      const text = extend(pass.text, ids, written);
      tell({ text, id });
      await seen(session, text, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    cache.dispose();
  }
  if (signal.aborted) return { ids: written, ending: 'stop' };
  return { ids: written, ending: room < count ? 'room' : 'count' };
}

/** A sampler a token: each begins with a number of its own. */
function samplingOf({ temperature, topK, seed }: Pick<GenerateSpec, 'temperature' | 'topK' | 'seed'>, index: number) {
  if (temperature === 0) return {};
  return { temperature, seed: (Math.imul(seed + 1, 0x9e3779b1) + index) | 0, ...(topK !== null && { topK }) };
}

async function seen(session: Session, text: string, signal: AbortSignal): Promise<void> {
  const end = performance.now() + longestWait;
  while (session.pass?.spec.text !== text && !signal.aborted && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}
