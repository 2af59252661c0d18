import { signal } from '@preact/signals';
import type { RaceAnswer, RaceFiles, RaceRequest } from '../race/protocol';
import racerUrl from '../race/racer.ts?worker&url';
import { type RaceResult, resultOf } from '../race/result';
import { scriptUrl } from '../trusted';

/** What was served along to race against; null where nothing was, or before it is known. */
export const raceFiles = signal<RaceFiles | null>(null);
type Race =
  | { state: 'none' | 'running' }
  | { state: 'done'; result: RaceResult; variant: string }
  | { state: 'failed'; message: string };

export const race = signal<Race>({ state: 'none' });

const folder = () => new URL('race/', document.baseURI).href;

/** The build has a file that says that there is nothing; another takes its place. */
export async function lookForRace(): Promise<void> {
  raceFiles.value ??= await fetch(`${folder()}ort.json`)
    .then((response) => (response.ok ? (response.json() as Promise<RaceFiles | null>) : null))
    .catch(() => null);
}

export function startRace(): void {
  const files = raceFiles.peek();
  if (!files || race.peek().state === 'running') return;
  race.value = { state: 'running' };
  const worker = new Worker(scriptUrl(racerUrl), { type: 'module' });
  const end = (outcome: Race) => {
    race.value = outcome;
    // With it goes the memory of both.
    worker.terminate();
  };
  worker.onmessage = ({ data }: MessageEvent<RaceAnswer>) =>
    end(
      data.type === 'result'
        ? { state: 'done', result: resultOf(data.times), variant: data.variant }
        : { state: 'failed', message: data.message },
    );
  worker.onerror = (event) => end({ state: 'failed', message: event.message || 'The race could not be started.' });
  worker.postMessage({ folder: folder(), files } satisfies RaceRequest);
}
