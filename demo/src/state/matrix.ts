import { signal } from '@preact/signals';
import type { Block } from '../engine/mask';
import type { Window } from '../heatmap/renderer';

/** What of the matrix is in sight; null: all of it. Shared by the panes of a comparison, so that they move together. */
export const matrixWindow = signal<Window | null>(null);

export const asTable = signal(false);

/** Takes the blocks that are marked by dragging over the matrix; without one, dragging moves the matrix. */
export const brush = signal<((block: Block) => void) | null>(null);
