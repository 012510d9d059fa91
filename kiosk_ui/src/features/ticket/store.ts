/** The take-ticket journey. The only place of the kiosk that asks the hall for tickets and identities. */
import { computed, onScopeDispose, shallowRef } from 'vue';
import type { InjectionKey } from 'vue';
import type { BookingBrief, FaceCheck, IdentityRead, IdentityWay, Language, Problem } from '@qingting/client';
import { asHallError, newKey } from '@qingting/client';
import type { JourneyLine } from '../offline/line';
import type { Draft, Press, Purpose, Step, TicketAct } from './steps';
import { EMPTY, MOST_ITEMS, PICK_FIRST, RETURNABLE } from './steps';
import { useTicketActs } from './acts';

export const READER_TIMEOUT_MS = 60_000;

/** What the journey must know of an item. */
export interface JourneyItem {
  readonly id: string;
  readonly needs_identity: boolean;
}

/** Whether one of these items asks for face against card, and the profile of the camera for it; null: no camera. */
export interface FaceWish {
  asked(items: readonly string[]): boolean;
  camera(): string | null;
}

const NO_FACES: FaceWish = { asked: () => false, camera: () => null };

interface Trace {
  readonly step: Step;
  readonly items: readonly string[];
}

/** The journey on one connection; lives as long as the calling scope. */
export function useJourney(
  connection: JourneyLine,
  language: () => Language,
  elder: () => boolean = () => false,
  faces: FaceWish = NO_FACES,
) {
  const step = shallowRef<Step>({ name: 'home' });
  /** How the citizen came here, for "back". */
  const trail = shallowRef<readonly Trace[]>([]);
  const draft = shallowRef<Draft>(EMPTY);
  /** The citizen came from the confirmation to choose a further item. */
  const adding = computed(() => trail.value.some((one) => one.step.name === 'confirm'));
  let readerTimer: ReturnType<typeof setTimeout> | undefined;

  /** True while the hall holds an identity or a looked-up ticket for this step, or the reader is lit. */
  function holds(next: Step): boolean {
    switch (next.name) {
      case 'identity':
      case 'bookings':
      case 'face':
        return true;
      case 'taking':
      case 'failed':
        return next.press.draft.identity !== null || next.press.booking !== null;
      case 'ticket':
        return next.source === 'scanned';
      case 'confirm':
        return draft.value.identity !== null;
      default:
        return adding.value && draft.value.identity !== null;
    }
  }

  function enter(next: Step): void {
    // The hall itself forgets the identity that a number was taken with.
    if (holds(step.value) && !holds(next) && step.value.name !== 'taking') leaveReader();
    if (!holds(next) && draft.value.identity !== null) draft.value = { ...draft.value, identity: null, face: null };
    step.value = next;
  }

  function go(next: Step): void {
    if (RETURNABLE.has(step.value.name)) {
      trail.value = [...trail.value, { step: step.value, items: draft.value.items }];
    }
    enter(next);
  }

  function back(): void {
    const last = trail.value.at(-1);
    const held = holds(step.value);
    trail.value = trail.value.slice(0, -1);
    draft.value = { ...draft.value, items: last?.items ?? [] };
    const next = last?.step ?? { name: 'home' };
    if (held && !holds(next)) forget();
    enter(next);
  }

  function forget(): void {
    leaveReader();
    draft.value = { ...draft.value, identity: null, face: null };
    step.value = { name: 'home' };
  }

  function startOver(): void {
    trail.value = [];
    draft.value = EMPTY;
  }

  /** Forgets everything of this citizen. Safe to call at any moment. */
  function reset(): void {
    const held = holds(step.value) && step.value.name !== 'taking';
    startOver();
    if (held) leaveReader();
    step.value = { name: 'home' };
  }

  function leaveReader(): void {
    clearTimeout(readerTimer);
    if (connection.status.state !== 'ready') return;
    // When this does not arrive the hall forgets by itself: a session that ends clears its identity.
    connection.ask({ type: 'identity.end' }).catch(() => undefined);
  }

  // ---- what for -------------------------------------------------------------------------------

  function choose(item: JourneyItem): void {
    const { items } = draft.value;
    if (items.includes(item.id) || items.length >= MOST_ITEMS) return;
    draft.value = { ...draft.value, items: [...items, item.id] };
  }

  /** From an item onwards: to the privacy note, to the confirmation, or straight to the number. */
  async function proceed(item: JourneyItem): Promise<void> {
    const further = adding.value;
    const before: Trace = { step: step.value, items: draft.value.items };
    if (!further) draft.value = { ...draft.value, items: [] };
    choose(item);
    if (item.needs_identity && draft.value.identity === null) {
      if (RETURNABLE.has(step.value.name)) trail.value = [...trail.value, before];
      enter({ name: 'privacy', purpose: 'take' });
    } else if (further) confirmWith();
    else await take({ draft: draft.value, booking: null, key: newKey() });
  }

  /** To the confirmation without an identity: for company, a claim or a further item. */
  function review(item: JourneyItem): void {
    const before: Trace = { step: step.value, items: draft.value.items };
    choose(item);
    trail.value = [...trail.value, before];
    confirmWith();
  }

  /** "Back" from here takes the last choice away again. */
  function confirmWith(): void {
    const at = trail.value.findLastIndex((one) => one.step.name === 'confirm');
    if (at >= 0) trail.value = trail.value.slice(0, at + 1);
    if (!compare(draft.value.items, null)) enter({ name: 'confirm' });
  }

  /** True when face and card are to be compared first; where they cannot be, that is noted. */
  function compare(items: readonly string[], booking: BookingBrief | null): boolean {
    const { identity, face } = draft.value;
    if (identity === null || face !== null || !faces.asked(items)) return false;
    const profile = faces.camera();
    if (identity.photo === null || profile === null) {
      const why = profile === null ? 'no_camera' : 'no_photo';
      draft.value = { ...draft.value, face: { verdict: 'not_done', why, liveness: 'unknown' } };
      return false;
    }
    enter({ name: 'face', photo: identity.photo, profile, booking });
    return true;
  }

  /** The outcome of a check, or the citizen's wish to have none: either way it goes on. */
  async function faceChecked(face: FaceCheck): Promise<void> {
    const now = step.value;
    if (now.name !== 'face') return;
    draft.value = { ...draft.value, face };
    if (now.booking === null) enter({ name: 'confirm' });
    else await take({ draft: draft.value, booking: now.booking, key: newKey() });
  }

  /** From the confirmation to the departments, for one more item under the same number. */
  function addMore(): void {
    if (step.value.name === 'confirm') go({ name: 'departments' });
  }

  /** Back to the confirmation without a further item. */
  function enough(): void {
    if (!adding.value) return;
    const at = trail.value.findLastIndex((one) => one.step.name === 'confirm');
    draft.value = { ...draft.value, items: trail.value[at]?.items ?? draft.value.items };
    trail.value = trail.value.slice(0, at);
    enter({ name: 'confirm' });
  }

  function drop(item: string): void {
    const items = draft.value.items.filter((one) => one !== item);
    if (items.length > 0) draft.value = { ...draft.value, items };
  }

  function bring(party: number): void {
    draft.value = { ...draft.value, party: Math.max(1, party) };
  }

  function claim(priority: string): void {
    draft.value = { ...draft.value, priority };
  }

  // ---- who ------------------------------------------------------------------------------------

  /** Lights the reader and waits for a card, a minute at most. */
  async function beginIdentity(purpose: Purpose): Promise<void> {
    if (step.value.name === 'privacy') {
      trail.value = [...trail.value, { step: step.value, items: draft.value.items }];
    }
    draft.value = { ...draft.value, identity: null, face: null };
    step.value = { name: 'identity', purpose, phase: 'arming', problem: null };
    await armReader(purpose);
  }

  async function armReader(purpose: Purpose): Promise<void> {
    clearTimeout(readerTimer);
    readerTimer = setTimeout(() => readerSilent(purpose), READER_TIMEOUT_MS);
    try {
      await connection.ask({ type: 'identity.begin' });
      if (step.value.name === 'identity' && step.value.phase === 'arming') {
        step.value = { name: 'identity', purpose, phase: 'waiting', problem: null };
      }
    } catch (fault) {
      const { code, params } = asHallError(fault);
      // A dropped line is not the reader's refusal: the reader is lit again after the reconnect.
      if (code !== 'hub.connection_lost') refuseCard({ code, params }, false);
    }
  }

  function readerSilent(purpose: Purpose): void {
    if (step.value.name !== 'identity') return;
    leaveReader();
    step.value = { name: 'identity', purpose, phase: 'timeout', problem: null };
  }

  /** `waiting`: the hall goes on waiting for a card or code. */
  function refuseCard(problem: Problem, waiting: boolean): void {
    if (step.value.name !== 'identity' || step.value.phase === 'timeout') return;
    if (!waiting) clearTimeout(readerTimer);
    step.value = { ...step.value, phase: waiting ? 'waiting' : 'refused', problem };
  }

  /** A code was scanned or a face recognised; the hall answers within seconds, whatever its platform does. */
  function codeChecked(way: IdentityWay): void {
    if (step.value.name !== 'identity' || step.value.phase === 'timeout') return;
    const phase = way === 'face' ? 'checkingFace' : 'checking';
    step.value = { ...step.value, phase, problem: null };
  }

  /** The citizen presses 刷脸, or does not want to be looked at any more. Card and code still count meanwhile. */
  async function lookForFace(on: boolean): Promise<void> {
    const now = step.value;
    if (now.name !== 'identity' || now.phase !== (on ? 'waiting' : 'looking')) return;
    step.value = { ...now, phase: on ? 'looking' : 'waiting', problem: null };
    try {
      await connection.ask({ type: 'face.look', on });
    } catch (fault) {
      const { code, params } = asHallError(fault);
      if (code !== 'hub.connection_lost') refuseCard({ code, params }, code !== 'face.not_waiting');
    }
  }

  function acceptCard(identity: IdentityRead): void {
    const now = step.value;
    if (now.name !== 'identity' || now.phase === 'timeout') return;
    clearTimeout(readerTimer);
    draft.value = { ...draft.value, identity };
    if (now.purpose === 'booking') {
      enter({ name: 'bookings', bookings: identity.bookings, by: 'card' });
    } else confirmWith();
  }

  // ---- the press ------------------------------------------------------------------------------

  /** The press on "take a number" of the confirmation. A second press finds the step gone. */
  async function confirm(): Promise<void> {
    if (step.value.name !== 'confirm') return;
    await take({ draft: draft.value, booking: null, key: newKey() });
  }

  /** Takes the number of a booking that the hall has shown. */
  async function takeBooking(booking: BookingBrief): Promise<void> {
    if (step.value.name !== 'bookings' && step.value.name !== 'confirm') return;
    if (!compare(booking.items, booking)) await take({ draft: draft.value, booking, key: newKey() });
  }

  async function take(press: Press): Promise<void> {
    if (step.value.name === 'taking') return;
    enter({ name: 'taking', press });
    const mine = step.value;
    const { draft: wish, booking } = press;
    const [first = '', ...more] = booking === null ? wish.items : booking.items;
    try {
      const answer = await connection.ask(
        {
          type: 'ticket.take',
          item: first,
          more: booking === null ? more : [],
          party: booking === null ? wish.party : booking.party,
          priority: wish.priority,
          booking: booking?.id ?? null,
          identity: wish.identity?.token ?? null,
          language: language(),
          elder: elder(),
          face_check: wish.face,
        },
        { key: press.key },
      );
      const { ticket, number } = answer;
      if (step.value !== mine || ticket === null || number === null) return;
      showTicket(ticket, number, 'taken');
      startOver();
    } catch (fault) {
      const { code, params, retryable } = asHallError(fault);
      if (step.value === mine) enter({ name: 'failed', press, problem: { code, params }, retryable });
    }
  }

  /** The same press once more, with its own key. */
  async function retry(): Promise<void> {
    if (step.value.name === 'failed') await take(step.value.press);
  }

  /** Shows the ticket that a refusal names: the citizen holds it already. */
  function showFormer(problem: Problem): void {
    const { ticket, number } = problem.params ?? {};
    if (typeof ticket !== 'string' || typeof number !== 'string') return;
    showTicket(ticket, number, 'scanned');
    startOver();
  }

  function showTicket(ticket: string, number: string, source: 'taken' | 'scanned'): void {
    enter({ name: 'ticket', ticket, number, source, asking: null, problem: null });
  }

  const busy = computed(() => step.value.name === 'taking');
  const leave = [
    connection.on('identity.read', acceptCard),
    connection.on('identity.checking', ({ way }) => codeChecked(way)),
    connection.on('identity.refused', ({ problem, waiting }) => refuseCard(problem, waiting)),
    connection.on('code.found', ({ ticket, number }) => {
      if (busy.value) return;
      showTicket(ticket, number, 'scanned');
      startOver();
    }),
    connection.on('booking.found', ({ booking }) => {
      if (busy.value) return;
      enter({ name: 'bookings', bookings: [booking], by: 'code' });
      startOver();
    }),
    connection.on('code.refused', ({ problem }) => {
      if (busy.value) return;
      // Whoever has chosen an item already goes on from there.
      if (problem.code === PICK_FIRST) go({ name: 'scan-refused', problem });
      else enter({ name: 'scan-refused', problem });
    }),
    connection.on('welcome', () => {
      const now = step.value;
      if (now.name === 'identity' && now.phase !== 'timeout') void beginIdentity(now.purpose);
    }),
  ];
  onScopeDispose(() => {
    clearTimeout(readerTimer);
    for (const off of leave) off();
  });

  const { reprint, comeBack, leaveLine } = useTicketActs(connection, step);
  return {
    step, trail, draft, adding, busy, go, back, reset, proceed, review, addMore, enough, drop, bring, claim,
    beginIdentity, faceChecked, lookForFace, confirm, takeBooking, retry, showFormer, reprint, comeBack, leaveLine,
  };
}

export type Journey = ReturnType<typeof useJourney>;
export type { TicketAct };
export const JOURNEY: InjectionKey<Journey> = Symbol('journey');
