import { AttentionError, invalid } from '../errors.js';
import { plain } from '../typed-arrays.js';
import type { AttentionResult } from '../types.js';
import { type Link, told } from './link.js';
import { type Method, special } from './messages.js';
import { Remote } from './remote.js';
import type { CallOptions } from './types.js';

/** A call under attention's options, the last argument; its output is what the caller gave as options.out. */
export async function attendedBy(
  link: Link,
  target: number,
  method: Method,
  args: readonly unknown[],
  options: CallOptions | undefined,
): Promise<AttentionResult> {
  const [how, rest] = told('options', options);
  const { out, cache } = rest as { out?: unknown; cache?: unknown };
  if (plain(Object(out)).kind === 'Float32Array') throw invalid('options.out', out, 'a tensor of this worker');
  refuseGone(cache);
  const result = await link.call<AttentionResult>(target, method, [...args, rest], how);
  const output: object = result.output;
  return special in output ? { ...result, output: out as never } : result;
}

/** A cache among the options that was disposed. */
export function refuseGone(cache: unknown): void {
  if (!(cache instanceof Remote && cache.isDisposed)) return;
  throw new AttentionError('DISPOSED', 'options.cache', 'this cache was disposed');
}
