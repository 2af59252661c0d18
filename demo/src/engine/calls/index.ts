import type { Session } from '../session';
import { aside } from './aside';
import { effects } from './effects';
import { generate, stopGenerating } from './generate';
import { lengths, stopLengths } from './lengths';
import { openModel } from './openModel';
import { pin } from './pin';
import { search } from './search';

/** Answers one question of the page; may tell of steps on the way. */
export type Call<Argument = never, Result = unknown> = (
  session: Session,
  argument: Argument,
  tell: (event: unknown) => void,
) => Result | Promise<Result>;

const calls = { aside, effects, generate, lengths, openModel, pin, search, stopGenerating, stopLengths };

export type Calls = typeof calls;

export function call(session: Session, name: string, argument: unknown, tell: (event: unknown) => void): unknown {
  if (!Object.hasOwn(calls, name)) throw new Error(`The worker knows no call '${name}'.`);
  return (calls as unknown as Record<string, Call<unknown>>)[name](session, argument, tell);
}
