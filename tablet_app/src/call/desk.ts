/** What lies on a clerk's desk, and what the next step is: pure rules over what the hall says. */
import type { CurrentVisit, ItemName, Request, TicketBrief, WindowView } from '@qingting/client';

/**
 * Exactly one of these at any time. `taken`: the window is somebody else's by now (given away by the
 * hall manager, or the clerk works at another pad).
 */
export type Desk =
  | { readonly at: 'loading' }
  | { readonly at: 'taken'; readonly by: string }
  | { readonly at: 'closed' }
  | { readonly at: 'paused'; readonly reason: string }
  | {
      readonly at: 'idle';
      /** Whom the big button calls; null: nobody whom this window may call. */
      readonly next: TicketBrief | null;
      readonly waiting: number;
      /** Who waits in the window's queues but is for others to call. */
      readonly elsewhere: number;
      readonly reason: string;
      readonly why: Readonly<Record<string, string | number>>;
    }
  | { readonly at: 'called'; readonly visit: CurrentVisit }
  | { readonly at: 'serving'; readonly visit: CurrentVisit };

/** The desk of `staff` at a window as the hall describes it. */
export function deskOf(view: WindowView | undefined, staff: string): Desk {
  if (view === undefined) return { at: 'loading' };
  if (view.state === 'closed') return { at: 'closed' };
  if (view.staff !== staff) return { at: 'taken', by: view.staff_name };
  if (view.visit !== null) {
    return { at: view.visit.state === 'serving' ? 'serving' : 'called', visit: view.visit };
  }
  if (view.state === 'paused') return { at: 'paused', reason: view.pause_reason };
  return {
    at: 'idle',
    next: view.queue.find((one) => one.ticket === view.next) ?? null,
    waiting: view.waiting,
    elsewhere: view.elsewhere,
    reason: view.next_reason,
    why: view.next_why,
  };
}

/** Nobody is called or served here: the page may be loaded anew. What is not known yet is no rest. */
export function isAtRest(desk: Desk): boolean {
  return desk.at === 'idle' || desk.at === 'paused' || desk.at === 'closed' || desk.at === 'taken';
}

/** What goes out by one press, without anything to fill in. */
export type Action =
  | 'take'
  | 'resume'
  | 'next'
  | 'begin'
  | 'finish'
  | 'stay'
  | 'recall'
  | 'noShow'
  | 'putBack'
  | 'pause'
  | 'leave'
  | 'logout';

/** What a sheet or a row of a list asks for. */
export type Deed =
  | 'park'
  | 'transfer'
  | 'addItem'
  | 'pick'
  | 'back'
  | 'requeue'
  | 'reclass'
  | 'make'
  | 'lend'
  | 'move'
  | 'password';

/** The visitor's next item is done at this window, so that nobody need stand in line again. */
export function nextHere(visit: CurrentVisit): ItemName | null {
  const [item] = visit.todo;
  return item?.here === true ? item : null;
}

/** The big button's action; null while there is nothing that could be done next. */
export function primaryOf(desk: Desk): Action | null {
  switch (desk.at) {
    case 'loading':
    case 'taken':
      return null;
    case 'closed':
      return 'take';
    case 'paused':
      return 'resume';
    case 'idle':
      return desk.next !== null ? 'next' : null;
    case 'called':
      return 'begin';
    case 'serving':
      return nextHere(desk.visit) !== null ? 'stay' : 'finish';
  }
}

/** Whether the action makes sense on this desk; the hall decides again and for good. */
export function allows(desk: Desk, what: Action | Deed): boolean {
  switch (what) {
    case 'take':
      return desk.at === 'closed';
    case 'resume':
      return desk.at === 'paused';
    case 'next':
      return desk.at === 'idle' && desk.next !== null;
    case 'begin':
    case 'recall':
    case 'noShow':
    case 'putBack':
      return desk.at === 'called';
    case 'finish':
      return desk.at === 'serving';
    case 'stay':
      return desk.at === 'serving' && nextHere(desk.visit) !== null;
    case 'park':
    case 'transfer':
    case 'addItem':
      return desk.at === 'called' || desk.at === 'serving';
    case 'pick':
    case 'back':
    case 'pause':
      return desk.at === 'idle';
    case 'leave':
    case 'move':
      return desk.at === 'idle' || desk.at === 'paused';
    case 'logout':
      return desk.at !== 'called' && desk.at !== 'serving';
    case 'requeue':
    case 'reclass':
    case 'make':
    case 'lend':
    case 'password':
      return desk.at !== 'loading' && desk.at !== 'taken' && desk.at !== 'closed';
  }
}

/** The request that carries out an action at a window. */
export function requestOf(action: Action, window: string, reason = ''): Request {
  switch (action) {
    case 'take':
    case 'resume':
      return { type: 'window.take', window };
    case 'next':
      return { type: 'call.next' };
    case 'begin':
      return { type: 'service.begin' };
    case 'finish':
      return { type: 'service.finish' };
    case 'stay':
      return { type: 'service.finish', stay: true };
    case 'recall':
      return { type: 'call.recall' };
    case 'noShow':
      return { type: 'call.no_show' };
    case 'putBack':
      return { type: 'visit.hand_back' };
    case 'pause':
      return { type: 'window.rest', reason };
    case 'leave':
      return { type: 'window.leave' };
    case 'logout':
      return { type: 'staff.logout' };
  }
}

/** Tells one moment of a desk from the next: a press meant for the former must not hit the latter. */
export function momentOf(desk: Desk): string {
  if (desk.at !== 'called' && desk.at !== 'serving') return desk.at;
  return `${desk.at}:${desk.visit.ticket}:${desk.visit.item}`;
}

/** Seconds until the visitor may be called again; 0 when it is time. */
export function recallWait(desk: Desk, now: number): number {
  return desk.at === 'called' ? Math.max(0, Math.ceil((desk.visit.recall_at - now) / 1000)) : 0;
}

const REASONS = [
  'sent',
  'returned',
  'max_delay',
  'condition',
  'priority_cap',
  'ratio',
  'appointment',
  'priority',
  'preferred_queue',
  'only_one',
  'longest_waiting',
  'picked',
  'resumed',
  'chain',
] as const;
export type CallReason = (typeof REASONS)[number] | 'other';

/** The reason code of a call as a word this pad knows; a newer hall may have more. */
export function callReason(code: string): CallReason {
  return REASONS.find((known) => known === code) ?? 'other';
}
