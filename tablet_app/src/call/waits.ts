/** How long somebody still waits, and how that stands to what they were told when they took the ticket. */
import type { Interval } from '@qingting/client';

/**
 * `kept`: nothing beside the live interval is worth reading. `longer`: even the shortest wait now known ends
 * later than was told. `over`: longer than was told already.
 */
export type Word = 'kept' | 'longer' | 'over';

export interface Waiting {
  readonly live: Interval | null;
  /** What was told; null where it adds nothing to the live interval. */
  readonly told: Interval | null;
  readonly word: Word;
}

/** `waited` in seconds since the ticket was taken. */
export function waitingOf(told: Interval | null, live: Interval | null, waited: number): Waiting {
  const word = wordOf(told, live, waited / 60);
  return { live, told: live === null || word !== 'kept' ? told : null, word };
}

function wordOf(told: Interval | null, live: Interval | null, waited: number): Word {
  if (told === null) return 'kept';
  if (waited > told.high) return 'over';
  return live !== null && waited + live.low > told.high ? 'longer' : 'kept';
}
