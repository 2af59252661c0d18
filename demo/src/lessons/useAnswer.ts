import { useEffect, useState } from 'preact/hooks';
import type { Calls } from '../engine/calls';
import { currentEngine } from '../state/engine';
import { head } from '../state/shown';

type ArgumentOf<Name extends keyof Calls> = Parameters<Calls[Name]>[1];
type ResultOf<Name extends keyof Calls> = Awaited<ReturnType<Calls[Name]>>;

export interface Answered<Result> {
  result: Result;
  /** Else of what was asked before. */
  isCurrent: boolean;
}

/**
 * What the worker answers to a question about what is on screen, as long as a component shows it; nothing is asked where
 * `argument` is null. Anything newer on screen ends the work, so it is asked again with each head until it is answered.
 */
export function useAnswer<Name extends keyof Calls>(
  name: Name,
  argument: ArgumentOf<Name> | null,
  about: unknown = null,
): Answered<ResultOf<Name>> | null {
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
  return answer && { result: answer.result, isCurrent: answer.key === key };
}
