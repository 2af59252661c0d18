import { checkKeys, integer, isArrayLike } from './arguments.js';
import type { Request } from './engine.js';
import { AttentionError, invalid, refused } from './errors.js';
import { floatOperand, type Operand, operand } from './operand.js';
import type { Into, Out, TensorLike } from './types.js';

/** Operands of one call of the core; more tensors are put together in several steps. */
const mostOperands = 11;

/** The tensors one after the other along an axis. */
export function concat<O extends Out | undefined>(
  tensors: readonly TensorLike[],
  given: { axis: number; out?: O },
  run: (request: Request) => unknown,
): Into<O> {
  const { axis, out } = checkKeys('options', given, ['axis', 'out']);
  const at = integer('options.axis', axis, -0x80000000);
  if (!isArrayLike(tensors) || tensors.length === 0)
    throw invalid('tensors', tensors, 'an array of at least one tensor');
  const operands = Array.from(tensors as readonly TensorLike[], (tensor, i) => floatOperand(`tensors[${i}]`, tensor));
  checkAlike(operands, at);
  let parts: readonly Operand[] = operands.map((one) => ({ ...one, argument: 'tensors' }));
  const joined = (some: readonly Operand[], into: Out | undefined) =>
    run({ operands: some, out: into, run: (core) => core.concat(some.length, at) });
  while (parts.length > mostOperands) {
    const groups = Array.from({ length: Math.ceil(parts.length / mostOperands) }, (_, i) =>
      parts.slice(i * mostOperands, (i + 1) * mostOperands),
    );
    parts = groups.map((group) => operand('tensors', joined(group, undefined)));
  }
  return joined(parts, out) as Into<O>;
}

/** What the core would refuse, by the tensor's own name. */
function checkAlike([first, ...others]: readonly Operand[], axis: number): void {
  const but = (shape: readonly number[]) => shape.filter((_, i) => i !== axis && i !== axis + shape.length).join();
  const wanted = first as Operand;
  for (const { argument, shape } of others) {
    if (shape.length === wanted.shape.length && but(shape) === but(wanted.shape)) continue;
    const message = `got shape [${shape}], wanted tensors[0]'s [${wanted.shape}] but for axis ${axis}`;
    throw new AttentionError('SHAPE_MISMATCH', argument, message);
  }
}

/** The part of a tensor from `start` to `end` of an axis; negative ones count from its end, as in Array.slice. */
export function sliceRequest(
  x: TensorLike,
  given: { axis: number; start?: number; end?: number; out?: Out | undefined },
): Request {
  const { axis, start, end, out } = checkKeys('options', given, ['axis', 'start', 'end', 'out']);
  const at = integer('options.axis', axis, -0x80000000);
  const input = operand('x', x);
  const size = input.shape.at(at < 0 || at < input.shape.length ? at : input.shape.length) ?? 0;
  const first = positionOf('options.start', start ?? 0, size);
  const last = positionOf('options.end', end ?? size, size);
  if (last < first) throw refused('options.end', `${end} before start ${start}`, 'one that is not before the start');
  return { operands: [input], out, run: (core) => core.slice(at, first, last) };
}

function positionOf(argument: string, position: number, size: number): number {
  const from = integer(argument, position, -size, size);
  return from < 0 ? from + size : from;
}
