import type { Attention } from 'attention-wasm';
import { median } from '../median';
import type { Session } from '../session';

/** Ways to attend, by how their work grows. */
export const ways = ['full', 'window', 'linear'] as const;
export type Way = (typeof ways)[number];

/** How long one call took. */
export interface Point {
  way: Way;
  tokens: number;
  milliseconds: number;
}

export const dims = 64;
/** Neighbours on either side. */
export const near = 64;
const shortest = 128;
const longest = 8192;

/** Typing has to wait for a call to end. */
const longestCall = 700;
const rounds = 7;
/** Short calls are repeated: some browsers' clocks tick but once a millisecond. */
const leastTurn = 5;
/** By how much twice the length takes longer, at the worst. */
const growth: Record<Way, number> = { full: 4, window: 2, linear: 2 };

let running = new AbortController();

/** Measures one head at growing lengths, and tells of each point. Stopped, it answers with what there is by then. */
export async function lengths(
  { attention }: Pick<Session, 'attention'>,
  _argument: undefined,
  tell: (event: unknown) => void,
): Promise<Point[]> {
  running.abort();
  running = new AbortController();
  return measure((tokens) => callsOf(attention, tokens), tell, running.signal);
}

export function stopLengths(): void {
  running.abort();
}

/** Calls of each way at one length, and what frees their inputs. */
export interface Calls {
  calls: Record<Way, () => void>;
  free(): void;
}

export async function measure(
  prepare: (tokens: number) => Calls,
  tell: (point: Point) => void,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): Promise<Point[]> {
  const points: Point[] = [];
  const last: Record<Way, number> = { full: 0, window: 0, linear: 0 };
  for (let tokens = shortest; tokens <= longest && !signal.aborted; tokens *= 2) {
    const fit = ways.filter((way) => last[way] * growth[way] < longestCall);
    const { calls, free } = prepare(tokens);
    try {
      const times = await inTurns(fit, calls, signal, now);
      if (signal.aborted) break;
      for (const way of fit) {
        last[way] = median(times[way]);
        const point = { way, tokens, milliseconds: last[way] };
        points.push(point);
        tell(point);
      }
    } finally {
      free();
    }
  }
  return points;
}

/** One after the other, again and again, so that all meet the same state of the machine. */
async function inTurns(fit: readonly Way[], calls: Calls['calls'], signal: AbortSignal, now: () => number) {
  const times: Record<Way, number[]> = { full: [], window: [], linear: [] };
  const repeats: Record<Way, number> = { full: 1, window: 1, linear: 1 };
  // The first round compiles, allocates, and says how often is enough.
  for (let round = 0; round <= rounds; round++) {
    for (const way of fit) {
      await new Promise<void>((done) => setTimeout(done));
      if (signal.aborted) return times;
      const start = now();
      for (let i = 0; i < repeats[way]; i++) calls[way]();
      const time = (now() - start) / repeats[way];
      if (round > 0) times[way].push(time);
      else repeats[way] = Math.ceil(Math.min(64, leastTurn / Math.max(time, 0.01)));
    }
  }
  return times;
}

/** Random inputs that stay in the engine's memory, so that no copy is measured. */
function callsOf(attention: Attention, tokens: number): Calls {
  const random = () => {
    const data = Float32Array.from({ length: tokens * dims }, () => 2 * Math.random() - 1);
    return attention.tensor({ data, shape: [tokens, dims] });
  };
  const [query, key, value] = [random(), random(), random()];
  const mask = attention.masks.slidingWindow(near, near);
  return {
    calls: {
      full: () => attention.scaledDotProductAttention(query, key, value),
      window: () => attention.scaledDotProductAttention(query, key, value, { mask }),
      linear: () => attention.linearAttention(query, key, value),
    },
    free() {
      for (const tensor of [query, key, value]) tensor.dispose();
    },
  };
}
