/** The journey from "what do you need" to a number: one step at a time, each with what it needs. */
import type { BookingBrief, CardPhoto, FaceCheck, IdentityRead, Problem } from '@qingting/client';

/** Most items of one ticket, as the contract has it. */
export const MOST_ITEMS = 5;
export const ORDINARY = 'ordinary';
/** The hall's words for what may be a citizen code, scanned before anybody was asked who they are. */
export const PICK_FIRST = 'code.pick_first';

/** What the citizen puts together before the press: items in the order of service, company, a claim. */
export interface Draft {
  readonly items: readonly string[];
  readonly party: number;
  readonly priority: string;
  readonly identity: IdentityRead | null;
  /** What comparing face and card came to; null: not yet, or nobody asks for it. */
  readonly face: FaceCheck | null;
}

export const EMPTY: Draft = { items: [], party: 1, priority: ORDINARY, identity: null, face: null };

/** What the citizen pressed: kept with its key until it is settled, so that it never counts twice. */
export interface Press {
  readonly draft: Draft;
  /** The booking whose number is taken; its items and people then count, not the draft's. */
  readonly booking: BookingBrief | null;
  readonly key: string;
}

/**
 * `waiting` with a problem: what was shown is no good, the next card or code is taken without a press.
 * `looking`: the face terminal's camera is open. `refused`: the wait is over, a press begins another.
 */
export type ReaderPhase = 'arming' | 'waiting' | 'looking' | 'checking' | 'checkingFace' | 'refused' | 'timeout';

/** What an identity is for: to take a number for the chosen items, or to find a booking. */
export type Purpose = 'take' | 'booking';

export type Step =
  | { readonly name: 'home' }
  | { readonly name: 'departments' }
  | { readonly name: 'items'; readonly department: string }
  | { readonly name: 'search' }
  | { readonly name: 'item'; readonly item: string }
  | { readonly name: 'booking-door' }
  | { readonly name: 'bookings'; readonly bookings: readonly BookingBrief[]; readonly by: 'card' | 'code' }
  | { readonly name: 'privacy'; readonly purpose: Purpose }
  | {
      readonly name: 'identity';
      readonly purpose: Purpose;
      readonly phase: ReaderPhase;
      readonly problem: Problem | null;
    }
  /** Face and card are compared; then comes the confirmation, or the number of `booking`. */
  | { readonly name: 'face'; readonly photo: CardPhoto; readonly profile: string; readonly booking: BookingBrief | null }
  | { readonly name: 'confirm' }
  | { readonly name: 'taking'; readonly press: Press }
  | { readonly name: 'failed'; readonly press: Press; readonly problem: Problem; readonly retryable: boolean }
  | {
      readonly name: 'ticket';
      readonly ticket: string;
      readonly number: string;
      readonly source: 'taken' | 'scanned';
      /** What was asked for this ticket and is not answered yet. */
      readonly asking: TicketAct | null;
      readonly problem: Problem | null;
    }
  | { readonly name: 'scan-refused'; readonly problem: Problem };

/** What the holder of a ticket may do with it at a kiosk. */
export type TicketAct = 'reprint' | 'return' | 'leave';

export type StepName = Step['name'];

/** Steps that "back" may return to; the others hold a person's data or have happened. */
export const RETURNABLE: ReadonlySet<StepName> = new Set([
  'home',
  'departments',
  'items',
  'search',
  'item',
  'booking-door',
  'privacy',
  'confirm',
]);
