/** The glue of the threaded variants, which is also the script of their workers. */
import type { Core, Settings } from './attention-module.js';

/** What the glue uses of a web worker. */
export interface GlueWorker {
  onmessage?: (event: { data: unknown }) => void;
  postMessage(message: unknown): void;
  terminate(): void;
}

export default function createModule(
  settings: Settings & {
    /** Workers that are there once the module is: threads can be started at once, and no more than these. */
    poolSize: number;
    makeWorker(): GlueWorker;
  },
): Promise<Core>;
