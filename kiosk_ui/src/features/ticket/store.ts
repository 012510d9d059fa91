/** The take-ticket journey. The only place of the kiosk that asks the hall for tickets and identities. */
import { computed, onScopeDispose, shallowRef } from 'vue';
import type { InjectionKey } from 'vue';
import type { HallConnection, IdentityRead, Language, Problem } from '@qingting/client';
import { asHallError, newKey } from '@qingting/client';
import type { Press, Step } from './steps';
import { RETURNABLE } from './steps';

export const READER_TIMEOUT_MS = 60_000;

/** What the journey must know of an item. */
export interface JourneyItem {
  readonly id: string;
  readonly needs_identity: boolean;
}

/** True while the hall holds an identity for this step, or the reader is lit for it. */
function holdsIdentity(step: Step): boolean {
  if (step.name === 'failed') return step.press.identity !== null;
  return step.name === 'identity' || step.name === 'confirm';
}

/** The journey on one connection; lives as long as the calling scope. */
export function useJourney(
  connection: HallConnection,
  language: () => Language,
  elder: () => boolean = () => false,
) {
  const step = shallowRef<Step>({ name: 'home' });
  /** How the citizen came here, for "back". */
  const trail = shallowRef<readonly Step[]>([]);
  let readerTimer: ReturnType<typeof setTimeout> | undefined;

  function enter(next: Step): void {
    if (holdsIdentity(step.value) && !holdsIdentity(next) && next.name !== 'taking') leaveReader();
    step.value = next;
  }

  function go(next: Step): void {
    if (RETURNABLE.has(step.value.name)) trail.value = [...trail.value, step.value];
    enter(next);
  }

  function back(): void {
    const last = trail.value.at(-1);
    trail.value = trail.value.slice(0, -1);
    enter(last ?? { name: 'home' });
  }

  /** Forgets everything of this citizen. Safe to call at any moment. */
  function reset(): void {
    trail.value = [];
    enter({ name: 'home' });
  }

  function leaveReader(): void {
    clearTimeout(readerTimer);
    if (connection.status.state !== 'ready') return;
    // When this does not arrive the hall forgets by itself: a session that ends clears its identity.
    connection.ask({ type: 'identity.end' }).catch(() => undefined);
  }

  /** From an item onwards: to the privacy note, or straight to the number. */
  async function proceed(item: JourneyItem): Promise<void> {
    if (item.needs_identity) go({ name: 'privacy', item: item.id });
    else await take({ item: item.id, identity: null, key: newKey() });
  }

  /** Lights the reader and waits for a card, a minute at most. */
  async function beginIdentity(item: string): Promise<void> {
    if (step.value.name === 'privacy') trail.value = [...trail.value, step.value];
    step.value = { name: 'identity', item, phase: 'arming', problem: null };
    await armReader(item);
  }

  async function armReader(item: string): Promise<void> {
    clearTimeout(readerTimer);
    readerTimer = setTimeout(() => readerSilent(item), READER_TIMEOUT_MS);
    try {
      await connection.ask({ type: 'identity.begin' });
      if (step.value.name === 'identity' && step.value.phase === 'arming') {
        step.value = { name: 'identity', item, phase: 'waiting', problem: null };
      }
    } catch (fault) {
      const { code, params } = asHallError(fault);
      // A dropped line is not the reader's refusal: the reader is lit again after the reconnect.
      if (code !== 'hub.connection_lost') refuseCard({ code, params });
    }
  }

  function readerSilent(item: string): void {
    if (step.value.name !== 'identity') return;
    leaveReader();
    step.value = { name: 'identity', item, phase: 'timeout', problem: null };
  }

  function refuseCard(problem: Problem): void {
    if (step.value.name !== 'identity') return;
    step.value = { ...step.value, phase: 'refused', problem };
  }

  function acceptCard(identity: IdentityRead): void {
    const now = step.value;
    if (now.name !== 'identity' || now.phase === 'timeout') return;
    clearTimeout(readerTimer);
    enter({ name: 'confirm', item: now.item, identity });
  }

  /** The press on "take a number" of the confirmation. A second press finds the step gone. */
  async function confirm(): Promise<void> {
    const now = step.value;
    if (now.name !== 'confirm') return;
    await take({ item: now.item, identity: now.identity, key: newKey() });
  }

  async function take(press: Press): Promise<void> {
    if (step.value.name === 'taking') return;
    enter({ name: 'taking', press });
    const mine = step.value;
    try {
      const answer = await connection.ask(
        {
          type: 'ticket.take',
          item: press.item,
          identity: press.identity?.token ?? null,
          language: language(),
          elder: elder(),
        },
        { key: press.key },
      );
      const { ticket, number } = answer;
      if (step.value !== mine || ticket === null || number === null) return;
      trail.value = [];
      showTicket(ticket, number, 'taken');
    } catch (fault) {
      const { code, params, retryable } = asHallError(fault);
      if (step.value === mine) enter({ name: 'failed', press, problem: { code, params }, retryable });
    }
  }

  /** The same press once more, with its own key. */
  async function retry(): Promise<void> {
    if (step.value.name === 'failed') await take(step.value.press);
  }

  function showTicket(ticket: string, number: string, source: 'taken' | 'scanned'): void {
    enter({ name: 'ticket', ticket, number, source, reprinting: false, problem: null });
  }

  /** Prints the same number again. */
  async function reprint(): Promise<void> {
    const now = step.value;
    if (now.name !== 'ticket' || now.reprinting) return;
    const asking: Step = { ...now, reprinting: true, problem: null };
    step.value = asking;
    let problem: Problem | null = null;
    try {
      await connection.ask({ type: 'ticket.reprint', ticket: now.ticket }, { key: newKey() });
    } catch (fault) {
      const { code, params } = asHallError(fault);
      problem = { code, params };
    }
    if (step.value === asking) step.value = { ...now, reprinting: false, problem };
  }

  const busy = computed(() => step.value.name === 'taking');
  const leave = [
    connection.on('identity.read', acceptCard),
    connection.on('identity.refused', ({ problem }) => refuseCard(problem)),
    connection.on('code.found', ({ ticket, number }) => {
      if (busy.value) return;
      trail.value = [];
      showTicket(ticket, number, 'scanned');
    }),
    connection.on('code.refused', ({ problem }) => {
      if (!busy.value) enter({ name: 'scan-refused', problem });
    }),
    connection.on('welcome', () => {
      const now = step.value;
      if (now.name === 'identity' && now.phase !== 'timeout') void beginIdentity(now.item);
    }),
  ];
  onScopeDispose(() => {
    clearTimeout(readerTimer);
    for (const off of leave) off();
  });

  return { step, trail, busy, go, back, reset, proceed, beginIdentity, confirm, retry, reprint };
}

export type Journey = ReturnType<typeof useJourney>;
export const JOURNEY: InjectionKey<Journey> = Symbol('journey');
