import type { Session } from '../session';

/** Keeps the head on screen, for the panes of a comparison. */
export function pin(session: Session): void {
  session.pin();
}
