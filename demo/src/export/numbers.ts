/** More tokens make files that few programs open. */
export const wholeLimit = 2048;

/** As many digits as single precision has. */
export const rounded = (value: number) => Number(value.toPrecision(7));

/** Whole rows of a head or another matrix. */
export interface Rows {
  tokens: readonly string[];
  row(index: number): ArrayLike<number>;
}
