/** The call pad's state and the only place of the call pad that speaks to the hall. */
import type { Answer, HallConnection, HallError, HelpView, Problem, Request, ScanOffer, StaffPermission, WindowBrief } from '@qingting/client';
import { asHallError, newKey, pick, pickAll } from '@qingting/client';
import { useNow, useStatus, useTopic } from '@qingting/client/vue';
import type { ShallowRef } from 'vue';
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { Action, Deed, Desk } from './desk';
import { allows, deskOf, momentOf, primaryOf, recallWait, requestOf } from './desk';
import type { Clerk, Seat, SeatMemory } from './seat';

/** After the big button's meaning changed, a second tap of the same hand within this time is void. */
export const SETTLE_MS = 600;
const NOTICE_MS = 7_000;

/** Anything that can be asked of the hall here. */
export type What = Action | Deed | 'login' | 'help';

/** What is under way; one thing at a time. */
export type Press = { readonly at: 'rest' } | { readonly at: 'sending'; readonly what: What };

/** `uncertain`: the hall did not answer in time, so nobody knows whether it happened. */
export interface Notice {
  readonly kind: 'refused' | 'uncertain';
  readonly what: What;
  readonly problem: Problem;
}

const REST: Press = { at: 'rest' };
const UNCERTAIN = 'hub.no_answer';
const FORGOTTEN = 'hub.not_logged_in';
/** The password was right but is to be replaced before anything else. */
export const ONE_TIME = 'staff.password_once';
const NO_WINDOW = 'window.none';

export function useCallPad(connection: HallConnection, memory: SeatMemory) {
  const status = useStatus(connection);
  const now = useNow(connection);
  const seat = shallowRef<Seat>(memory.load());
  const press = shallowRef<Press>(REST);
  const notice = shallowRef<Notice | null>(null);
  const settledAt = ref(0);
  let noticeTimer: ReturnType<typeof setTimeout> | undefined;
  /** An action without an answer: pressed again for the same moment it goes out with the same key. */
  let unanswered: { readonly of: string; readonly key: string } | null = null;
  /** Whether this session of the line is known to be logged in. */
  let proven = false;

  const windowTopic = useTopic(connection, () =>
    seat.value.at === 'desk' ? `window:${seat.value.window}` : null,
  );
  const deskTopic = useTopic(connection, () => (seat.value.at === 'desk' ? `desk:${seat.value.window}` : null));
  /** A clerk whom the hall forgot: the window's number is still asked for, to show what is kept. */
  const windowsTopic = useTopic(connection, () =>
    seat.value.at === 'choosing' || (seat.value.at === 'login' && seat.value.kept !== null) ? 'windows' : null,
  );
  const helpTopic = useTopic(connection, () => (seat.value.at === 'login' ? null : 'help'));

  const view = computed(() => pick(windowTopic.entries.value, 'window', 'window'));
  /** The day beside the next step; what is not there yet, or not known of this visitor, is undefined. */
  const day = computed(() => ({
    pulse: pick(deskTopic.entries.value, 'pulse', 'desk_pulse'),
    figures: pick(deskTopic.entries.value, 'figures', 'desk_figures'),
    visitor: pick(deskTopic.entries.value, 'visitor', 'visitor_day'),
    waits: pick(deskTopic.entries.value, 'waits', 'desk_waits')?.waits ?? {},
  }));
  const clerk = computed<Clerk | null>(() => {
    if (seat.value.at === 'login') return seat.value.kept?.clerk ?? null;
    return seat.value.clerk;
  });
  const desk = computed<Desk>(() => deskOf(view.value, clerk.value?.staff ?? ''));
  const windows = computed<readonly WindowBrief[]>(() =>
    [...pickAll(windowsTopic.entries.value, 'window_brief')].sort((a, b) =>
      a.number.localeCompare(b.number, 'zh-CN', { numeric: true }),
    ),
  );
  const helps = computed<readonly HelpView[]>(() =>
    [...pickAll(helpTopic.entries.value, 'help')].sort((a, b) => a.since - b.since),
  );
  /** Number of the window that is still the clerk's and waits for the login; null when it is not. */
  const windowNumber = computed(() => {
    const { value } = seat;
    if (value.at !== 'login' || value.kept === null) return null;
    const { clerk: former, window } = value.kept;
    const brief = windows.value.find((one) => one.id === window);
    return brief !== undefined && brief.state !== 'closed' && brief.staff === former.staff ? brief.number : null;
  });
  const online = computed(() => status.value.state === 'ready');
  /** False while what the screen shows may not be true any more: nothing can be done then. */
  const actionable = computed(
    () => online.value && windowTopic.loaded.value && !windowTopic.stale.value,
  );

  function sit(next: Seat): void {
    seat.value = next;
    memory.save(next);
  }

  /** `lasting` is for a sheet: what it was refused stays until it is closed or tried again. */
  function tell(next: Notice | null, lasting = false): void {
    clearTimeout(noticeTimer);
    notice.value = next;
    if (next !== null && !lasting) noticeTimer = setTimeout(() => (notice.value = null), NOTICE_MS);
  }

  /** The hall no longer knows who sits here: ask, and keep the window for afterwards. */
  function forgotten(): void {
    proven = false;
    const { value } = seat;
    if (value.at === 'login') return;
    const window = value.at === 'desk' ? value.window : value.last;
    sit({ at: 'login', kept: { clerk: value.clerk, window } });
  }

  function refused(what: What, fault: HallError, lasting = false): void {
    const { code, params } = fault;
    if (code === FORGOTTEN) {
      forgotten();
      return;
    }
    if (code === NO_WINDOW) chooseAnother();
    tell({ kind: code === UNCERTAIN ? 'uncertain' : 'refused', what, problem: { code, params } }, lasting);
  }

  /** One thing at a time; the hall's answer when it did it. */
  async function send(what: What, body: Request, key: string | null, lasting = false): Promise<Answer | null> {
    press.value = { at: 'sending', what };
    tell(null);
    try {
      const answer = await connection.ask(body, key === null ? {} : { key });
      unanswered = null;
      return answer;
    } catch (fault) {
      const error = asHallError(fault);
      if (error.code !== UNCERTAIN) unanswered = null;
      refused(what, error, lasting);
      return null;
    } finally {
      press.value = REST;
    }
  }

  /** One key per press, so that a press repeated by the line or after silence is done once. */
  function keyFor(what: What, detail: string): string {
    const of = `${what}@${momentOf(desk.value)}@${detail}`;
    if (unanswered?.of !== of) unanswered = { of, key: newKey() };
    return unanswered.key;
  }

  /** Nothing is possible while the line is down: nothing is kept to be sent later. */
  function can(what: Action | Deed): boolean {
    return actionable.value && press.value.at === 'rest' && allows(desk.value, what);
  }

  function may(permission: StaffPermission): boolean {
    return view.value?.permissions.includes(permission) === true;
  }

  async function act(action: Action, reason = ''): Promise<boolean> {
    const { value } = seat;
    if (value.at !== 'desk' || !can(action)) return false;
    if (action === 'recall' && recallWait(desk.value, connection.clock.now()) > 0) return false;
    const done = (await send(action, requestOf(action, value.window, reason), keyFor(action, reason))) !== null;
    if (done && action === 'leave') sit({ at: 'choosing', clerk: value.clerk, last: value.window });
    if (done && action === 'logout') sit({ at: 'login', kept: null });
    return done;
  }

  /** What a sheet or a row asks for. Null: refused or without an answer, and the notice says so. */
  async function ask(deed: Deed, body: Request): Promise<Answer | null> {
    const { value } = seat;
    if (value.at !== 'desk' || !can(deed)) return null;
    // Without a key: the former password is needed, so a repeat changes nothing.
    const key = deed === 'password' ? null : keyFor(deed, JSON.stringify(body));
    const answer = await send(deed, body, key, true);
    if (answer !== null && body.type === 'window.take') sit({ ...value, window: body.window });
    return answer;
  }

  /** The big button. A tap that comes too soon after its meaning changed does nothing. */
  async function doPrimary(): Promise<boolean> {
    const action = primaryOf(desk.value);
    if (action === null || connection.clock.now() < settledAt.value) return false;
    return act(action);
  }

  /** The clerk is logged in: back to the window that is still theirs, else to the choice of one. */
  function arrived(known: Clerk, window: string | null): void {
    const { value } = seat;
    const kept = value.at === 'login' ? value.kept : null;
    const last = kept?.clerk.staff === known.staff ? kept.window : null;
    const at = window ?? last;
    proven = false;
    sit(at === null ? { at: 'choosing', clerk: known, last } : { at: 'desk', clerk: known, window: at });
  }

  /** A code for the phone; null when the hall gave none, and the notice says why. */
  async function offerScan(): Promise<ScanOffer | null> {
    if (!online.value || press.value.at !== 'rest') return null;
    const answer = await send('login', { type: 'staff.scan' }, null, true);
    return answer?.scan ?? null;
  }

  /** `fresh` takes the place of a one-time password; the notice `staff.password_once` asks for it. */
  async function login(number: string, password: string, fresh?: string): Promise<boolean> {
    if (!online.value || press.value.at !== 'rest') return false;
    press.value = { at: 'sending', what: 'login' };
    tell(null);
    try {
      // Without a key: a login belongs to one session of the line and is never repeated by itself.
      const answer = await connection.ask({
        type: 'staff.login',
        number,
        password,
        ...(fresh === undefined ? {} : { new: fresh }),
      });
      arrived({ staff: answer.staff ?? number, name: answer.staff_name ?? '', number }, answer.window);
      return true;
    } catch (fault) {
      const { code, params } = asHallError(fault);
      tell({ kind: 'refused', what: 'login', problem: { code, params } }, code === ONE_TIME || fresh !== undefined);
      return false;
    } finally {
      press.value = REST;
    }
  }

  /** Begins at a window; refused in words when somebody else is there. */
  async function choose(window: string): Promise<boolean> {
    const { value } = seat;
    if (value.at !== 'choosing' || !online.value || press.value.at !== 'rest') return false;
    const done = (await send('take', { type: 'window.take', window }, newKey())) !== null;
    if (done) {
      proven = true;
      sit({ at: 'desk', clerk: value.clerk, window });
    }
    return done;
  }

  /** Away from a window that is not the clerk's any more. */
  function chooseAnother(): void {
    const { value } = seat;
    if (value.at === 'desk') sit({ at: 'choosing', clerk: value.clerk, last: value.window });
  }

  async function logoutFromWindows(): Promise<void> {
    if (seat.value.at !== 'choosing' || press.value.at !== 'rest') return;
    if ((await send('logout', { type: 'staff.logout' }, newKey())) !== null) sit({ at: 'login', kept: null });
  }

  async function helpDone(device: string): Promise<boolean> {
    if (!online.value || press.value.at !== 'rest') return false;
    return (await send('help', { type: 'help.done', device }, newKey())) !== null;
  }

  /** Somebody else logs in on this pad. */
  function forgetClerk(): void {
    if (seat.value.at === 'login') sit({ at: 'login', kept: null });
  }

  /**
   * A restarted hall server forgets who was logged in. Taking the window that is already the clerk's
   * changes nothing and tells at once, before a visitor stands there.
   */
  function prove(): void {
    const { value } = seat;
    if (proven || value.at !== 'desk' || !actionable.value) return;
    const { at } = desk.value;
    if (at !== 'idle' && at !== 'called' && at !== 'serving') return;
    proven = true;
    connection.ask({ type: 'window.take', window: value.window }, { key: newKey() }).catch((fault: unknown) => {
      proven = false;
      refused('take', asHallError(fault));
    });
  }

  onScopeDispose(
    connection.on('staff.scanned', ({ staff, staff_name: name, number, window }) => {
      tell(null);
      arrived({ staff, name, number }, window);
    }),
  );
  watch(online, (isOnline) => {
    if (!isOnline) proven = false;
  });
  watch([desk, actionable], prove);
  watch(
    () => momentOf(desk.value),
    () => (settledAt.value = connection.clock.now() + SETTLE_MS),
  );
  watch(windowTopic.problem, (fault) => {
    if (fault?.code === FORGOTTEN) forgotten();
    else if (fault !== null) chooseAnother();
  });
  onScopeDispose(() => clearTimeout(noticeTimer));

  return {
    status,
    now,
    seat: seat as Readonly<ShallowRef<Seat>>,
    clerk,
    view,
    day,
    desk,
    windows,
    windowsLoaded: windowsTopic.loaded,
    windowNumber,
    helps,
    online,
    actionable,
    age: windowTopic.age,
    stale: windowTopic.stale,
    press: press as Readonly<ShallowRef<Press>>,
    notice: notice as Readonly<ShallowRef<Notice | null>>,
    can,
    may,
    act,
    ask,
    /** A list of the hall for as long as the calling component lives. */
    follow: (topic: 'queues' | 'windows' | 'catalogue' | 'devices') => useTopic(connection, topic),
    doPrimary,
    login,
    offerScan,
    choose,
    chooseAnother,
    logoutFromWindows,
    helpDone,
    forgetClerk,
    dismiss: () => tell(null),
  };
}

export type CallPad = ReturnType<typeof useCallPad>;
