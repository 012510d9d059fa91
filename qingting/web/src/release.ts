/** Which release of its program a screen runs (程序版本): it says so, and changes over when nobody needs it. */
import type { ActOrder } from './generated/contract';
import type { HallConnection, Unsubscribe } from './connection';
import type { Boot } from './boot-api';
import { HallError } from './errors';

export interface ReleaseHands {
  /** The name of the program that runs. */
  readonly build: string;
  /** Nobody is called, served or asked here. */
  readonly idle: () => boolean;
  readonly quietMs: () => number;
  /** So long must nobody have touched the screen. */
  readonly calmMs: number;
}

/** What a person asked for and what was not done yet; kept over a reload. `until` by the hall's clock. */
interface Pending {
  readonly act: string;
  readonly release: string;
  readonly seconds: number;
  readonly until: number;
}

const LOOK_MS = 2_000;
const AGAIN_MS = 60_000;
const SECONDS = 45;
const KEPT = `qingting.release:${location.pathname}${location.search}`;
/** A page in development has no loader: it runs what it is and takes nothing else. */
const NONE: Boot = {
  running: '',
  failed: '',
  started: () => undefined,
  prepare: () => Promise.resolve(false),
  begin: () => undefined,
};

function load(): Pending | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null') as Pending | null;
  } catch {
    return null;
  }
}

/** Follows what the hall says until the result is called. */
export function followRelease(
  connection: HallConnection,
  hands: ReleaseHands,
  boot: Boot = window.qingtingBoot ?? NONE,
): Unsubscribe {
  let pending = load();
  let inForce: string | null = null;
  let reported = false;
  let working = false;
  let waitUntil = 0;

  function remember(next: Pending | null): void {
    pending = next;
    if (next === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, JSON.stringify(next));
  }

  async function report(): Promise<void> {
    const runs = { program: hands.build, release: boot.running, failed: boot.failed, bundle: '' };
    await connection.ask({ type: 'runs.report', runs });
    reported = true;
  }

  async function tell(outcome: 'done' | 'failed' | 'refused', code = ''): Promise<void> {
    if (pending === null) return;
    const { act } = pending;
    await connection.ask({ type: 'act.told', act, outcome, code }, { key: `act.told:${act}` });
    remember(null);
  }

  /** What became of the last change is told before the next one is thought of. */
  async function settle(): Promise<void> {
    if (pending === null) return;
    if (pending.release === boot.running) await tell('done');
    else if (pending.release === boot.failed) await tell('failed', 'act.not_started');
    else if (connection.clock.now() > pending.until) remember(null);
  }

  async function change(): Promise<void> {
    const target = pending?.release ?? inForce;
    if (target === null || target === boot.running || target === boot.failed) return;
    if (!hands.idle() || hands.quietMs() < hands.calmMs || Date.now() < waitUntil) return;
    if (!(await boot.prepare(target))) {
      waitUntil = Date.now() + AGAIN_MS;
      await tell('refused', 'act.no_release');
      return;
    }
    // Somebody may have stepped up while it was fetched.
    if (!hands.idle()) return;
    if (pending !== null) await connection.ask({ type: 'act.going', act: pending.act });
    boot.begin(target, pending?.seconds ?? SECONDS);
  }

  async function look(): Promise<void> {
    if (working || connection.status.state !== 'ready') return;
    working = true;
    try {
      if (!reported) await report();
      await settle();
      await change();
    } catch (fault) {
      if (!(fault instanceof HallError)) throw fault;
      // The line broke or the hall wants it no more: what is open is looked at again.
      if (fault.code === 'act.unknown') remember(null);
    } finally {
      working = false;
    }
  }

  function take({ act, action, answer_by }: ActOrder): void {
    if (action.do !== 'release.use' || pending?.act === act) return;
    const { release = '', start_s: seconds = SECONDS } = action;
    remember({ act, release, seconds, until: answer_by });
    void look();
  }

  const timer = setInterval(() => void look(), LOOK_MS);
  const ends = [
    connection.on('act', take),
    connection.on('release', ({ release }) => {
      inForce = release;
    }),
    connection.onStatus(({ state }) => {
      if (state !== 'ready') reported = false;
      const answered = state === 'ready' || state === 'unpaired' || state === 'stopped';
      if (answered && document.querySelector('#app')?.firstElementChild) boot.started();
      void look();
    }),
  ];
  return () => {
    clearInterval(timer);
    for (const end of ends) end();
  };
}
