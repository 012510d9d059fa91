/** When this pad last heard its hall, kept over restarts so that a pad that starts alone can say so. */
import type { HallConnection } from '@qingting/client';

const PLACE = 'qingting.tablet.contact';
const EVERY_MS = 20_000;

/** Milliseconds since 1970 by this machine's clock; null when the pad was never connected. */
export function lastContact(): number | null {
  const stored = Number(localStorage.getItem(PLACE) ?? '');
  return Number.isFinite(stored) && stored > 0 ? stored : null;
}

export function keepContact(connection: HallConnection): void {
  const note = (): void => {
    if (connection.status.state === 'ready') localStorage.setItem(PLACE, String(Date.now()));
  };
  connection.onStatus(note);
  setInterval(note, EVERY_MS);
}
