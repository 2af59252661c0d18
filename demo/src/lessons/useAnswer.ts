import { useEffect, useState } from 'preact/hooks';
import type { Calls } from '../engine/calls';
import { currentEngine } from '../state/engine';
import { head } from '../state/shown';

type ArgumentOf<Name extends keyof Calls> = Parameters<Calls[Name]>[1];
type ResultOf<Name extends keyof Calls> = Awaited<ReturnType<Calls[Name]>>;

/**
 * What the worker answers to a question about what is on screen, as long as a component shows it; nothing is asked where
 * `argument` is null. Anything newer on screen ends the work, so it is asked again with each head until it is answered.
 * Meanwhile it is what was answered before.
 */
export function useAnswer<Name extends keyof Calls>(
  name: Name,
  argument: ArgumentOf<Name> | null,
  about: unknown = null,
): ResultOf<Name> | null {
  const [answer, setAnswer] = useState<{ key: string; result: ResultOf<Name> } | null>(null);
  const of = head.value;
  const key = JSON.stringify([argument, about]);
  useEffect(() => {
    // The bundled example is known to the page alone.
    if (argument === null || of.serial === 0 || answer?.key === key) return;
    currentEngine()
      ?.call(name, argument)
      .then(
        (result) => {
          if (head.peek() === of) setAnswer({ key, result });
        },
        () => {},
      );
  }, [key, of]);
  return answer?.result ?? null;
}
