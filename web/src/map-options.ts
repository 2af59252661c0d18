import { integer, isArrayLike, oneOf } from './arguments.js';
import { invalid } from './errors.js';
import type { AttentionMapOptions } from './types.js';

/** Beside the rules. */
export const mapKeys = ['rows', 'columns', 'size', 'pool', 'logSumExp'] as const;

/** Pool of cpp/include/attention/attention.hpp, in its order. */
const pools = ['max', 'mean'] as const;
const all = [-1, -1];
const screen = [256, 256];

/** Rows, columns (-1: all), size and pool, as the core takes them; it knows the lengths that they are checked against. */
export function mapIntegers({ rows, columns, size, pool }: AttentionMapOptions): number[] {
  return [
    ...(rows === undefined ? all : pair('options.rows', rows, 0)),
    ...(columns === undefined ? all : pair('options.columns', columns, 0)),
    ...(size === undefined ? screen : pair('options.size', size, 1)),
    pools.indexOf(oneOf('options.pool', pool ?? 'max', pools)),
  ];
}

function pair(argument: string, value: readonly [number, number], least: number): number[] {
  if (!isArrayLike(value) || value.length !== 2) throw invalid(argument, value, 'two integers');
  return [0, 1].map((at) => integer(argument, value[at], least));
}
