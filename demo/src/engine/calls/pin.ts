import type { Session } from '../session';

/** Keeps the head on screen, for the panes of a comparison; false where the worker is already further. */
export function pin(session: Session, serial: number): boolean {
  return session.pin(serial);
}
