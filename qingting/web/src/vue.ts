/** Vue's view of a connection. Components get their data from these, never from a socket. */
import type { ComputedRef, InjectionKey, MaybeRefOrGetter, ShallowRef } from 'vue';
import { computed, inject, onScopeDispose, readonly, ref, shallowRef, toValue, watch } from 'vue';
import type { ConnectionStatus, Entries, HallConnection, HallError } from './index';

export const CONNECTION: InjectionKey<HallConnection> = Symbol('hall connection');

/** The connection that the app provides under {@link CONNECTION}. */
export function useConnection(): HallConnection {
  const connection = inject(CONNECTION);
  if (connection === undefined) throw new Error('no hall connection was provided');
  return connection;
}

/** The connection's status as a ref. */
export function useStatus(connection: HallConnection): Readonly<ShallowRef<ConnectionStatus>> {
  const status = shallowRef(connection.status);
  onScopeDispose(
    connection.onStatus((next) => {
      status.value = next;
    }),
  );
  return status;
}

/** Server time in milliseconds, ticking every `everyMs`. */
export function useNow(connection: HallConnection, everyMs = 1_000): Readonly<{ value: number }> {
  const now = ref(connection.clock.now());
  const timer = setInterval(() => {
    now.value = connection.clock.now();
  }, everyMs);
  onScopeDispose(() => clearInterval(timer));
  return readonly(now);
}

export interface LiveTopic {
  readonly entries: Readonly<ShallowRef<Entries>>;
  /** False until the first snapshot: show "loading", never an empty list. */
  readonly loaded: ComputedRef<boolean>;
  readonly problem: ComputedRef<HallError | null>;
  /** Seconds since the data was last known to be true; null before the first snapshot. */
  readonly age: ComputedRef<number | null>;
  /** True when the data may no longer be true: say its age beside it. */
  readonly stale: ComputedRef<boolean>;
}

const STALE_AFTER_S = 12;

/** Follows a topic for as long as the component lives; a null topic is not followed. */
export function useTopic(
  connection: HallConnection,
  topic: MaybeRefOrGetter<string | null>,
): LiveTopic {
  const entries = shallowRef<Entries>(new Map());
  const state = shallowRef<{ loaded: boolean; live: boolean; problem: HallError | null }>({
    loaded: false,
    live: false,
    problem: null,
  });
  const now = useNow(connection);
  watch(
    () => toValue(topic),
    (name, _, onCleanup) => {
      entries.value = new Map();
      state.value = { loaded: false, live: false, problem: null };
      if (name === null) return;
      const store = connection.topic(name);
      const take = (): void => {
        entries.value = store.entries;
        state.value = { loaded: store.loaded, live: store.live, problem: store.problem };
      };
      take();
      onCleanup(store.subscribe(take));
    },
    { immediate: true },
  );
  const age = computed(() =>
    state.value.loaded ? Math.max(0, (now.value - connection.lastHeard) / 1_000) : null,
  );
  return {
    entries,
    loaded: computed(() => state.value.loaded),
    problem: computed(() => state.value.problem),
    age,
    stale: computed(
      () => state.value.loaded && (!state.value.live || (age.value ?? 0) > STALE_AFTER_S),
    ),
  };
}
