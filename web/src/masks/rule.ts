import { AttentionError } from '../errors.js';

/** Half-open. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** One batch entry of a call: query i stands at position i + offset. */
export interface Extent {
  readonly queries: number;
  readonly keys: number;
  readonly offset: number;
}

/** What a mask is compiled for, and the name by which errors call it. */
export interface Call {
  readonly extents: readonly Extent[];
  readonly heads: number;
  readonly argument: string;
}

export interface Place {
  readonly batch: number;
  readonly head: number;
  readonly extent: Extent;
}

export type Coverage = 'empty' | 'partial' | 'full';

/**
 * A rule within one batch entry and head. Queries are positions, those of the extent; ranges are never empty.
 */
export interface Plane {
  /** What is said to be empty or full is so; 'partial' may be either. */
  coverage(queries: Range, keys: Range): Coverage;
  /** Sets marks[key - keys.first] to 1 for the keys `query` attends to. Marks come as zeros; keys are of one block. */
  mark(query: number, keys: Range, marks: Uint8Array): void;
}

/** Decides for each pair of a query position and a key whether it attends. */
export interface Rule {
  /** Whether batch entries of one extent may differ. */
  readonly perBatch: boolean;
  readonly perHead: boolean;
  /** Throws where the rule's own tables do not fit the call. */
  check?(call: Call): void;
  over(place: Place): Plane;
}

export function coverageOf(some: boolean, all: boolean): Coverage {
  return all ? 'full' : some ? 'partial' : 'empty';
}

export function checkBatch(name: string, entries: number, { extents, argument }: Call): void {
  if (entries === extents.length) return;
  throw misfit(argument, `${name} for ${entries} batch entries`, `B = ${extents.length}`);
}

export function misfit(argument: string, got: string, wanted: string): AttentionError {
  return new AttentionError('SHAPE_MISMATCH', argument, `got ${got}, wanted ${wanted}`);
}

/** One past the last query position of any batch entry. */
export function positionsEnd({ extents }: Call): number {
  return most(extents, ({ queries, offset }) => (queries > 0 ? queries + offset : 0));
}

export function keysEnd({ extents }: Call): number {
  return most(extents, ({ keys }) => keys);
}

export function most(extents: readonly Extent[], sizeOf: (extent: Extent) => number): number {
  return extents.reduce((largest, extent) => Math.max(largest, sizeOf(extent)), 0);
}

/**
 * Masks the queries before position 0, of which `plane` knows nothing.
 */
export function fromPositionZero(plane: Plane): Plane {
  return {
    coverage({ first, end }, keys) {
      if (end <= 0) return 'empty';
      if (first >= 0) return plane.coverage({ first, end }, keys);
      return plane.coverage({ first: 0, end }, keys) === 'empty' ? 'empty' : 'partial';
    },
    mark(query, keys, marks) {
      if (query >= 0) plane.mark(query, keys, marks);
    },
  };
}
