/** What this board shows and says: its topic, read once for the page and once for the voice. */
import { computed, onScopeDispose, ref, watch } from 'vue';
import type {
  BoardRow,
  BoardSay,
  BoardScreen,
  EarlierCall,
  Entries,
  HallConnection,
} from '@qingting/client';
import { HallError, newKey, pick, pickAll } from '@qingting/client';
import { useNow, useStatus, useTopic } from '@qingting/client/vue';
import type { SaidMemory } from './announcement';
import { Announcer } from './announcement';
import type { SoundState } from './voice';

/** A new call stands out for as long as it takes to look up. */
export const FRESH_MS = 12_000;
/** How long a said call is offered to a hall that does not answer; its list brings it back after that. */
const REPORT_MS = 600_000;

/** A page is silent for a moment while it starts; one that stays so is told to the hall. */
const SILENT_MS = 5_000;

/** Where the board's words go. */
export interface Speaker {
  readonly state: SoundState;
  announce(call: BoardSay, owed: () => boolean): Promise<boolean>;
}

/** All of a board's picture. */
export interface Picture {
  readonly screen: BoardScreen;
  readonly rows: readonly BoardRow[];
  readonly earlier: readonly EarlierCall[];
  readonly quiet: boolean;
}

/** The picture in the entries of a board's topic, or of a preview; null while there is none. */
export function pictureOf(entries: Entries): Picture | null {
  const screen = pick(entries, 'screen', 'board_screen');
  if (screen === undefined) return null;
  return {
    screen,
    rows: [...pickAll(entries, 'board_row')].sort((a, b) => b.call_no - a.call_no),
    earlier: pick(entries, 'earlier', 'board_earlier')?.calls ?? [],
    quiet: pick(entries, 'sound', 'board_sound')?.quiet ?? false,
  };
}

/** Follows this board's own topic and says what it owes. */
export function useBoard(connection: HallConnection, speaker: Speaker, memory: SaidMemory) {
  const status = useStatus(connection);
  const device = computed(() => status.value.welcome?.device ?? null);
  const topic = useTopic(connection, () => (device.value === null ? null : `board:${device.value}`));
  const now = useNow(connection);
  const sound = ref<SoundState>(speaker.state);
  const announcer = new Announcer(
    (call, owed) => speaker.announce(call, owed),
    (callNo) => report(connection, callNo),
    memory,
    (fault) => reportFault(fault),
  );

  const picture = computed(() => pictureOf(topic.entries.value));
  watch(
    [topic.entries, topic.loaded],
    ([entries, loaded]) => {
      if (loaded) announcer.see(pickAll(entries, 'board_say'));
    },
    { immediate: true },
  );
  const tellSound = soundReport(connection);
  const timer = setInterval(() => {
    sound.value = speaker.state;
    const expected = picture.value?.screen.aloud === true && device.value !== null;
    tellSound(device.value, expected && sound.value !== 'on', status.value.state === 'ready');
  }, 1_000);
  onScopeDispose(() => clearInterval(timer));

  return { status, now, picture, sound, loaded: topic.loaded, stale: topic.stale, age: topic.age };
}

async function report(connection: HallConnection, callNo: number): Promise<void> {
  const key = `said-${String(callNo).padStart(8, '0')}`;
  await connection.ask({ type: 'call.announced', call_no: callNo }, { key, deadlineMs: REPORT_MS });
}

/**
 * Tells the hall, once a change, whether a board that has to say calls can be heard. The hall forgets it with
 * the connection, so a silent board tells it again.
 */
function soundReport(connection: HallConnection) {
  let told: boolean | null = null;
  let silentSince: number | null = null;
  return (device: string | null, silent: boolean, ready: boolean): void => {
    const now = connection.clock.now();
    silentSince = silent ? (silentSince ?? now) : null;
    if (!ready || device === null) {
      told = null;
      return;
    }
    const starting = silentSince !== null && now - silentSince < SILENT_MS;
    const muted = silentSince !== null;
    if (starting || told === muted) return;
    told = muted;
    const conditions = muted ? (['muted'] as const) : [];
    const body = { type: 'device.report', device, kind: 'board', state: 'ready', conditions } as const;
    connection.ask(body, { key: newKey() }).catch((fault: unknown) => {
      told = null;
      reportFault(fault);
    });
  };
}

/** A line that is down is said on the screen; anything else is a fault of ours. */
function reportFault(fault: unknown): void {
  if (!(fault instanceof HallError)) reportError(fault);
}
