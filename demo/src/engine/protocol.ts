import type { Reading } from '../attention/reading';

/** Page to worker. A newer request ends the older ones. */
export interface ReadRequest {
  id: number;
  text: string;
}

/** Worker to page. Superseded requests are never answered. */
export type WorkerMessage =
  | { type: 'progress'; loaded: number; total: number }
  | { type: 'reading'; id: number; reading: Reading }
  | { type: 'failed'; message: string };
