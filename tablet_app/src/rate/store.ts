/** The rating pad's state and the only place of the rating pad that speaks to the hall. */
import type { HallConnection, HallError, Problem, RatingLevel, RatingRequest } from '@qingting/client';
import { RATING_SECONDS, asHallError, newKey, pick } from '@qingting/client';
import { useNow, useStatus, useTopic } from '@qingting/client/vue';
import type { ShallowRef } from 'vue';
import { computed, onScopeDispose, shallowRef, watch } from 'vue';

/** Best to worst, as people read them; the pad treats them all alike. */
export const LEVELS: readonly RatingLevel[] = [
  'very_satisfied',
  'satisfied',
  'basically_satisfied',
  'dissatisfied',
  'very_dissatisfied',
];

export const WORDS_LIMIT = 150;
/** The countdown shows in the last seconds of silence. */
export const COUNTDOWN_SECONDS = 15;
export const THANKS_MS = 5_000;
const NOTICE_MS = 6_000;

export function isBad(level: RatingLevel): boolean {
  return level === 'dissatisfied' || level === 'very_dissatisfied';
}

/** What a citizen has chosen so far. */
export interface Draft {
  readonly level: RatingLevel;
  readonly tags: readonly string[];
  readonly words: string;
}

export type Outcome = 'good' | 'bad' | 'skipped';

/** Exactly one of these at any time. `fault` is shown beside what the citizen chose, which is kept. */
export type Step =
  | { readonly at: 'idle' }
  | { readonly at: 'level'; readonly request: RatingRequest; readonly fault: Problem | null }
  | { readonly at: 'reason'; readonly request: RatingRequest; readonly draft: Draft; readonly fault: Problem | null }
  | { readonly at: 'sending'; readonly request: RatingRequest; readonly draft: Draft | null }
  | { readonly at: 'thanks'; readonly outcome: Outcome }
  | { readonly at: 'notice'; readonly problem: Problem | 'ended' };

const REASON_NEEDED = 'rating.reason_needed';

export function useRatingPad(connection: HallConnection) {
  const status = useStatus(connection);
  const now = useNow(connection, 250);
  const step = shallowRef<Step>({ at: 'idle' });
  const quietUntil = shallowRef(0);
  /** The visit that is over for this pad, while the hall may still show it for a moment. */
  let settled = '';
  let touched = false;
  let sent: { readonly of: string; readonly key: string } | null = null;
  let restTimer: ReturnType<typeof setTimeout> | undefined;

  const window = computed(() => status.value.welcome?.window ?? null);
  const topic = useTopic(connection, () => (window.value === null ? null : `rating:${window.value}`));
  const view = computed(() => pick(topic.entries.value, 'pad', 'rating_pad'));
  const request = computed(() => view.value?.request ?? null);
  const left = computed(() => Math.max(0, Math.ceil((quietUntil.value - now.value) / 1000)));
  /** Seconds to show, only near the end of the silence. */
  const countdown = computed(() => {
    const asking = step.value.at === 'level' || step.value.at === 'reason';
    return asking && left.value <= COUNTDOWN_SECONDS ? left.value : null;
  });

  function rest(next: Step, ms: number): void {
    clearTimeout(restTimer);
    step.value = next;
    restTimer = setTimeout(goIdle, ms);
  }

  function goIdle(): void {
    clearTimeout(restTimer);
    step.value = { at: 'idle' };
    begin();
  }

  /** Asks about the hall's open request, unless it was answered here or its time is over. */
  function begin(): void {
    const open = request.value;
    if (open === null || open.ticket === settled) return;
    clearTimeout(restTimer);
    if (open.until <= connection.clock.now()) {
      settled = open.ticket;
      void decline(open, 'timeout');
      return;
    }
    touched = false;
    quietUntil.value = open.until;
    step.value = { at: 'level', request: open, fault: null };
  }

  /** Somebody is there: the silence starts anew. */
  function touch(): void {
    if (step.value.at !== 'level' && step.value.at !== 'reason') return;
    touched = true;
    quietUntil.value = connection.clock.now() + RATING_SECONDS * 1000;
  }

  function choose(level: RatingLevel): void {
    const { value } = step;
    if (value.at === 'level') {
      step.value = { at: 'reason', request: value.request, draft: { level, tags: [], words: '' }, fault: null };
    } else if (value.at === 'reason' && value.draft.level !== level) {
      step.value = { ...value, draft: { ...value.draft, level, tags: [] }, fault: null };
    }
  }

  function toggleTag(code: string): void {
    const { value } = step;
    if (value.at !== 'reason') return;
    const { tags } = value.draft;
    const next = tags.includes(code) ? tags.filter((tag) => tag !== code) : [...tags, code];
    step.value = { ...value, draft: { ...value.draft, tags: next }, fault: null };
  }

  /** Words beyond the limit are cut, by characters and not in the middle of one. */
  function write(words: string): void {
    const { value } = step;
    if (value.at !== 'reason') return;
    const kept = Array.from(words).slice(0, WORDS_LIMIT).join('');
    step.value = { ...value, draft: { ...value.draft, words: kept } };
  }

  /** The same content keeps its key, so that a second try is never a second rating. */
  function keyFor(of: string): string {
    if (sent?.of !== of) sent = { of, key: newKey() };
    return sent.key;
  }

  async function submit(): Promise<void> {
    const { value } = step;
    if (value.at !== 'reason') return;
    const { request: open, draft } = value;
    if (isBad(draft.level) && draft.tags.length === 0) {
      step.value = { ...value, fault: { code: REASON_NEEDED, params: {} } };
      return;
    }
    step.value = { at: 'sending', request: open, draft };
    const { level, tags, words } = draft;
    const trimmed = words.trim();
    try {
      await connection.ask(
        { type: 'rating.submit', ticket: open.ticket, case: open.case, level, tags, words: trimmed },
        { key: keyFor(JSON.stringify([open.ticket, level, tags, trimmed])) },
      );
      settled = open.ticket;
      rest({ at: 'thanks', outcome: isBad(level) ? 'bad' : 'good' }, THANKS_MS);
    } catch (fault) {
      failed(asHallError(fault), open, draft);
    }
  }

  async function skip(): Promise<void> {
    const { value } = step;
    if (value.at !== 'level' && value.at !== 'reason') return;
    const { request: open } = value;
    step.value = { at: 'sending', request: open, draft: null };
    try {
      await connection.ask(
        { type: 'rating.decline', ticket: open.ticket, case: open.case, reason: 'declined' },
        { key: keyFor(`declined ${open.ticket}`) },
      );
      settled = open.ticket;
      rest({ at: 'thanks', outcome: 'skipped' }, THANKS_MS);
    } catch (fault) {
      failed(asHallError(fault), open, null);
    }
  }

  /** Silence: the visit counts as not rated. What was chosen but not sent is nobody's rating. */
  async function decline(open: RatingRequest, reason: 'timeout'): Promise<void> {
    try {
      await connection.ask(
        { type: 'rating.decline', ticket: open.ticket, case: open.case, reason },
        { key: keyFor(`timeout ${open.ticket}`) },
      );
    } catch (fault) {
      // Nobody stands here: if the hall could not be told, the request is still open and comes again.
      if (asHallError(fault).retryable && settled === open.ticket) settled = '';
    }
  }

  function failed(fault: HallError, open: RatingRequest, draft: Draft | null): void {
    const problem: Problem = { code: fault.code, params: fault.params };
    const correctable = fault.retryable || fault.code === REASON_NEEDED || fault.code === 'rating.unknown_tag';
    if (!correctable) {
      settled = open.ticket;
      rest({ at: 'notice', problem }, NOTICE_MS);
      return;
    }
    quietUntil.value = connection.clock.now() + RATING_SECONDS * 1000;
    step.value =
      draft === null
        ? { at: 'level', request: open, fault: problem }
        : { at: 'reason', request: open, draft, fault: problem };
  }

  /** The hall's request changed: a new visit, or the one under way was closed elsewhere. */
  function requestChanged(): void {
    const open = request.value;
    const { value } = step;
    const asking = value.at === 'level' || value.at === 'reason';
    if (asking && open?.ticket === value.request.ticket) return;
    if (value.at === 'sending') return;
    if (asking && open === null) {
      settled = value.request.ticket;
      if (touched) rest({ at: 'notice', problem: 'ended' }, NOTICE_MS);
      else goIdle();
      return;
    }
    if (open !== null && open.ticket !== settled) begin();
  }

  watch(request, requestChanged, { immediate: true });
  watch(left, (seconds) => {
    const { value } = step;
    if (seconds > 0 || (value.at !== 'level' && value.at !== 'reason')) return;
    settled = value.request.ticket;
    void decline(value.request, 'timeout');
    goIdle();
  });
  onScopeDispose(() => clearTimeout(restTimer));

  return {
    status,
    view,
    loaded: topic.loaded,
    stale: topic.stale,
    age: topic.age,
    window,
    online: computed(() => status.value.state === 'ready'),
    step: step as Readonly<ShallowRef<Step>>,
    countdown,
    touch,
    choose,
    toggleTag,
    write,
    submit,
    skip,
    goIdle,
  };
}

export type RatingPad = ReturnType<typeof useRatingPad>;
