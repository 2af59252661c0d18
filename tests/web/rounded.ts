import type { Plain } from './random.ts';

/**
 * What a weight becomes that is kept as int8: a row (one output channel) is divided by its scale max|row|/127, rounded to whole
 * numbers, ties to even, and stands for them times the scale. Every number of it is off by at most half a scale. The steps are
 * those of float32, or a number that lies next to a tie would be another one in some hundred thousand.
 */
export function roundRows({ data, shape }: Plain): Plain {
  const rows = shape[0] as number;
  const width = data.length / rows;
  const from = Float32Array.from(data as Float32Array);
  const out = new Float32Array(from.length);
  for (let r = 0; r < rows; r++) {
    const row = from.subarray(r * width, (r + 1) * width);
    const largest = Math.max(...row.map(Math.abs));
    const scale = Math.fround(largest / 127);
    row.forEach((x, i) => {
      out[r * width + i] = scale === 0 ? 0 : toEven(Math.fround(x / scale)) * scale;
    });
  }
  return { data: out, shape };
}

function toEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** The same for matrices that multiply from the right, whose columns are the output channels. */
export function roundColumns({ data, shape }: Plain): Plain {
  const [rows = 0, columns = 0] = shape;
  const turn = (from: ArrayLike<number>, [n, m]: [number, number]) =>
    Float32Array.from({ length: n * m }, (_, at) => from[(at % n) * m + Math.floor(at / n)] as number);
  const turned = turn(data as Float32Array, [rows, columns]);
  const rounded = roundRows({ data: turned, shape: [columns, rows] });
  return { data: turn(rounded.data as Float32Array, [columns, rows]), shape };
}

/** The matrices and tables that `which` names, rounded as it says; all else as it is. */
export const rounded = <T extends Plain>(
  all: Record<string, T>,
  which: (name: string) => 'rows' | 'columns' | false,
): Record<string, Plain> =>
  Object.fromEntries(
    Object.entries(all).map(([name, tensor]) => {
      const how = which(name);
      return [name, how === 'rows' ? roundRows(tensor) : how === 'columns' ? roundColumns(tensor) : tensor];
    }),
  );
