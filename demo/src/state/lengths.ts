import { signal } from '@preact/signals';
import type { Point } from '../engine/calls/lengths';
import { currentEngine } from './engine';

/** Of the newest measurement, as they come. */
export const points = signal<Point[]>([]);
export const isMeasuring = signal(false);
/** Why there are none. */
export const measuringFailed = signal('');

export async function measureLengths(): Promise<void> {
  const engine = currentEngine();
  if (!engine || isMeasuring.peek()) return;
  points.value = [];
  measuringFailed.value = '';
  isMeasuring.value = true;
  try {
    points.value = await engine.call('lengths', undefined, (point) => {
      points.value = [...points.peek(), point as Point];
    });
  } catch (error) {
    measuringFailed.value = (error as Error).message;
  } finally {
    isMeasuring.value = false;
  }
}

/** What was measured so far stays. */
export function stopMeasuring(): void {
  if (!isMeasuring.peek()) return;
  currentEngine()
    ?.call('stopLengths', undefined)
    .catch(() => {});
}
