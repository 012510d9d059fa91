/** What the board shows: who is called now, who was called before, how true it is. */
import { computed, onScopeDispose, ref, watch } from 'vue';
import type { BoardCall, HallConnection } from '@qingting/client';
import { pick, pickAll } from '@qingting/client';
import { useNow, useStatus, useTopic } from '@qingting/client/vue';
import type { AnnouncedMemory } from './announcement';
import { Announcer, announcement } from './announcement';
import type { SoundState } from './voice';

export const ROWS_NOW = 4;
export const ROWS_BEFORE = 6;
/** A new call stands out for as long as it takes to look up. */
export const FRESH_MS = 12_000;

/** Where the board's words go. */
export interface Speaker {
  readonly state: SoundState;
  announce(text: string, callNo: number): Promise<void>;
}

/** Follows the board's topic and announces new calls. */
export function useBoard(connection: HallConnection, speaker: Speaker, memory: AnnouncedMemory) {
  const topic = useTopic(connection, 'board');
  const status = useStatus(connection);
  const now = useNow(connection);
  const sound = ref<SoundState>(speaker.state);
  const announcer = new Announcer(
    (call) => speaker.announce(announcement(call), call.call_no),
    memory,
    (fault) => reportError(fault),
  );

  const info = computed(() => pick(topic.entries.value, 'info', 'board_info') ?? null);
  const calls = computed(() =>
    [...pickAll(topic.entries.value, 'board_call')].sort((a, b) => b.call_no - a.call_no),
  );
  const active = computed(() => calls.value.filter((call) => call.active));
  const shown = computed(() => active.value.slice(0, ROWS_NOW));
  const before = computed(() =>
    calls.value.filter((call) => !shown.value.includes(call)).slice(0, ROWS_BEFORE),
  );

  watch(
    [calls, topic.loaded],
    ([list, loaded]) => {
      if (loaded) announcer.see(list, connection.clock.now());
    },
    { immediate: true },
  );
  const timer = setInterval(() => {
    sound.value = speaker.state;
  }, 1_000);
  onScopeDispose(() => clearInterval(timer));

  return {
    status,
    now,
    info,
    shown,
    before,
    sound,
    loaded: topic.loaded,
    stale: topic.stale,
    age: topic.age,
    isFresh: (call: BoardCall): boolean => now.value - call.called_at < FRESH_MS,
  };
}

/** Memory of the last announced call in the tab: a reload neither repeats nor forgets. */
export function tabMemory(): AnnouncedMemory {
  const place = 'qingting.board.announced';
  return {
    load: () => {
      const text = sessionStorage.getItem(place);
      return text === null ? null : Number(text);
    },
    save: (callNo) => sessionStorage.setItem(place, String(callNo)),
  };
}
