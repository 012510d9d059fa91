/** The journey from "what do you need" to a number: one step at a time, each with what it needs. */
import type { IdentityRead, Problem } from '@qingting/client';

/** What the citizen pressed: kept with its key until it is settled, so that it never counts twice. */
export interface Press {
  readonly item: string;
  readonly identity: IdentityRead | null;
  readonly key: string;
}

export type ReaderPhase = 'arming' | 'waiting' | 'refused' | 'timeout';

export type Step =
  | { readonly name: 'home' }
  | { readonly name: 'departments' }
  | { readonly name: 'items'; readonly department: string }
  | { readonly name: 'search' }
  | { readonly name: 'item'; readonly item: string }
  | { readonly name: 'privacy'; readonly item: string }
  | {
      readonly name: 'identity';
      readonly item: string;
      readonly phase: ReaderPhase;
      readonly problem: Problem | null;
    }
  | { readonly name: 'confirm'; readonly item: string; readonly identity: IdentityRead }
  | { readonly name: 'taking'; readonly press: Press }
  | { readonly name: 'failed'; readonly press: Press; readonly problem: Problem; readonly retryable: boolean }
  | {
      readonly name: 'ticket';
      readonly ticket: string;
      readonly number: string;
      readonly source: 'taken' | 'scanned';
      /** A reprint was asked for and is not answered yet. */
      readonly reprinting: boolean;
      readonly problem: Problem | null;
    }
  | { readonly name: 'scan-refused'; readonly problem: Problem };

export type StepName = Step['name'];

/** Steps that "back" may return to; the others hold a person's data or have happened. */
export const RETURNABLE: ReadonlySet<StepName> = new Set([
  'home',
  'departments',
  'items',
  'search',
  'item',
  'privacy',
]);
