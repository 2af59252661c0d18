import { headData, headOf } from '../layers';
import type { HeadData, LensSpec, PassSpec, Place } from '../protocol';
import type { Session } from '../session';

export interface AsideSpec {
  pass: PassSpec;
  lens: LensSpec;
  place: Place;
}

export interface Aside {
  tokens: string[];
  /** No tiles can be asked of it. */
  head: HeadData;
}

/** Reads texts beside the one on screen, which stays there. Rejects when something newer is asked for. */
export async function aside(session: Session, specs: readonly AsideSpec[]): Promise<Aside[]> {
  const { attention, signal } = session;
  const read: Aside[] = [];
  for (const { pass: spec, lens, place } of specs) {
    const pass = await session.read(spec, signal);
    const lensed = session.lens(pass, lens);
    read.push({ tokens: pass.tokens, head: headData(attention, 0, pass, lensed, headOf(lensed, place)) });
  }
  return read;
}
