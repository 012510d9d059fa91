/** What lies on a clerk's desk, and what the next step is: pure rules over what the hall says. */
import type { CurrentVisit, Request, TicketBrief, WindowView } from '@qingting/client';

/**
 * Exactly one of these at any time. `taken`: the window is somebody else's by now (given away by the
 * hall manager, or the clerk works at another pad).
 */
export type Desk =
  | { readonly at: 'loading' }
  | { readonly at: 'taken'; readonly by: string }
  | { readonly at: 'closed' }
  | { readonly at: 'paused'; readonly reason: string }
  | { readonly at: 'idle'; readonly next: TicketBrief | null; readonly waiting: number }
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
  return { at: 'idle', next: view.queue[0] ?? null, waiting: view.waiting };
}

export type Action =
  | 'take'
  | 'resume'
  | 'next'
  | 'begin'
  | 'finish'
  | 'recall'
  | 'noShow'
  | 'pause'
  | 'leave'
  | 'logout';

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
      return desk.waiting > 0 ? 'next' : null;
    case 'called':
      return 'begin';
    case 'serving':
      return 'finish';
  }
}

/** Whether the action makes sense on this desk; the hall decides again and for good. */
export function allows(desk: Desk, action: Action): boolean {
  switch (action) {
    case 'take':
      return desk.at === 'closed';
    case 'resume':
      return desk.at === 'paused';
    case 'next':
      return desk.at === 'idle' && desk.waiting > 0;
    case 'begin':
    case 'recall':
    case 'noShow':
      return desk.at === 'called';
    case 'finish':
      return desk.at === 'serving';
    case 'pause':
      return desk.at === 'idle';
    case 'leave':
      return desk.at === 'idle' || desk.at === 'paused';
    case 'logout':
      return desk.at !== 'called' && desk.at !== 'serving';
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
    case 'recall':
      return { type: 'call.recall' };
    case 'noShow':
      return { type: 'call.no_show' };
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
  return desk.at === 'called' || desk.at === 'serving' ? `${desk.at}:${desk.visit.ticket}` : desk.at;
}

const REASONS = [
  'longest_waiting',
  'only_one',
  'appointment',
  'priority',
  'max_delay',
  'returned',
  'preferred_queue',
] as const;
export type CallReason = (typeof REASONS)[number] | 'other';

/** The reason code of a call as a word this pad knows; a newer hall may have more. */
export function callReason(code: string): CallReason {
  return REASONS.find((known) => known === code) ?? 'other';
}
