/** Who sits at this pad and at which window, kept over reloads and restarts. */

export interface Clerk {
  readonly staff: string;
  readonly name: string;
  /** Staff number, so that logging in again needs the password only. */
  readonly number: string;
}

/**
 * `login`: nobody is logged in, or the hall forgot it; `kept` is then who was, and at which window.
 * `choosing`: logged in without a window. `desk`: at work.
 */
export type Seat =
  | { readonly at: 'login'; readonly kept: { readonly clerk: Clerk; readonly window: string | null } | null }
  | { readonly at: 'choosing'; readonly clerk: Clerk; readonly last: string | null }
  | { readonly at: 'desk'; readonly clerk: Clerk; readonly window: string };

export interface SeatMemory {
  load(): Seat;
  save(seat: Seat): void;
}

const PLACE = 'qingting.tablet.seat';
const NOBODY: Seat = { at: 'login', kept: null };

/** The seat in the browser's storage; what cannot be read counts as nobody. */
export function browserSeat(slot = ''): SeatMemory {
  const place = slot === '' ? PLACE : `${PLACE}.${slot}`;
  return {
    load: () => parseSeat(localStorage.getItem(place)),
    save: (seat) => localStorage.setItem(place, JSON.stringify(seat)),
  };
}

export function memorySeat(first: Seat = NOBODY): SeatMemory {
  let kept = first;
  return {
    load: () => kept,
    save: (seat) => {
      kept = seat;
    },
  };
}

function parseSeat(text: string | null): Seat {
  if (text === null) return NOBODY;
  try {
    const value = JSON.parse(text) as { at?: unknown; clerk?: unknown; window?: unknown; last?: unknown };
    const clerk = asClerk(value.clerk);
    if (clerk === null) return NOBODY;
    if (value.at === 'desk' && typeof value.window === 'string') {
      return { at: 'desk', clerk, window: value.window };
    }
    return { at: 'choosing', clerk, last: typeof value.last === 'string' ? value.last : null };
  } catch {
    // A damaged entry is as good as none: the pad asks for a login.
    return NOBODY;
  }
}

function asClerk(value: unknown): Clerk | null {
  const { staff, name, number } = (value ?? {}) as Partial<Record<keyof Clerk, unknown>>;
  return typeof staff === 'string' && typeof name === 'string' && typeof number === 'string'
    ? { staff, name, number }
    : null;
}
