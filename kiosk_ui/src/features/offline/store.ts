/** When the hall is gone for good while, the agent on this machine takes its place. */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { HallConnection, IdentityWay, Language, OfflineOffer, OfflineState, Problem } from '@qingting/client';
import type { Hall } from '../../app/hall';
import { blockers, isDown } from '../../app/hall';
import { useJourney } from '../ticket/store';
import { AgentLine } from './line';

/** A hall that is gone for so long is not waited for any more. */
export const OFFLINE_AFTER_MS = 6_000;
const LOOK_EVERY_MS = 700;
const MISSES_AT_MOST = 6;
const HALL_ONLY: ReadonlySet<string> = new Set(['queues', 'scan', 'booking']);

/** Follows the line for as long as the calling scope lives. */
export function useOffline(
  connection: HallConnection,
  hall: Hall,
  language: () => Language,
  elder: () => boolean,
  busy: () => boolean,
) {
  const offer = shallowRef<OfflineOffer | null>(null);
  const state = shallowRef<OfflineState | null>(null);
  const active = ref(false);
  const line = new AgentLine(() => offer.value);
  const journey = useJourney(line, language, elder);
  const status = hall.status;

  const gone = computed(
    () =>
      status.value.state !== 'ready' &&
      status.value.state !== 'stopped' &&
      hall.now.value - (status.value.downSince ?? hall.now.value) > OFFLINE_AFTER_MS,
  );
  const wanted = computed(() => gone.value || active.value);
  let looking = false;
  let misses = 0;

  async function look(): Promise<void> {
    if (looking || !wanted.value) return;
    looking = true;
    const found = await line.look();
    looking = false;
    misses = found === null ? misses + 1 : 0;
    if (found !== null) state.value = found;
    if (gone.value && found !== null && !busy()) active.value = true;
    // One answer that was lost sends nobody away in the middle of a press.
    if (misses >= MISSES_AT_MOST && journey.step.value.name !== 'ticket') active.value = false;
    settle();
  }

  /** Back to the hall once it is there and nobody is in the middle of something. */
  function settle(): void {
    if (active.value && status.value.state === 'ready' && journey.step.value.name === 'home') {
      active.value = false;
      state.value = null;
    }
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  const off = connection.on('offline.offer', (message) => {
    offer.value = message;
  });
  watch([status, journey.step], settle);
  onScopeDispose(() => {
    clearInterval(timer);
    off();
  });

  const kiosk = computed(() => {
    const known = hall.kiosk.value;
    const peripherals = state.value?.peripherals ?? [];
    return known === null ? null : { ...known, peripherals, blocked_by: [] };
  });
  /** Codes are resolved by the hall alone; this machine reads cards. */
  const ways = computed((): readonly IdentityWay[] => {
    const reader = state.value?.peripherals.find((one) => one.kind === 'id_reader');
    return reader?.state === 'ready' ? ['card'] : [];
  });
  const items = computed(() => state.value?.items ?? []);
  const departments = computed(() => {
    const counts = new Map<string, number>();
    for (const one of items.value) counts.set(one.department, (counts.get(one.department) ?? 0) + 1);
    return hall.departments.value.flatMap((one) => {
      const count = counts.get(one.id);
      return count === undefined ? [] : [{ ...one, items: count }];
    });
  });

  /** The first screen without what only the hall knows. */
  const screen = computed(() => {
    const left = hall.screen.value.blocks.filter((one) => !HALL_ONLY.has(one));
    return { ...hall.screen.value, blocks: left.length > 0 ? left : (['take', 'search'] as const) };
  });

  /** The hall as this machine knows it: the same items, no live queues. */
  const known: Hall = {
    ...hall,
    offline: true,
    screen,
    items,
    departments,
    kiosk,
    ways,
    readerOut: computed(() => ways.value.length === 0),
    codeDown: computed(() => false),
    queues: computed(() => []),
    waiting: computed(() => null),
    item: (id) => items.value.find((one) => one.id === id) ?? null,
    department: (id) => departments.value.find((one) => one.id === id) ?? null,
    queue: () => null,
    ticket: (id) => state.value?.tickets.find((one) => one.ticket === id) ?? null,
  };

  /** Why no number can be given by this machine alone. */
  const blocked = computed((): readonly Problem[] => {
    const problem = state.value?.problem ?? null;
    if (problem !== null) return [problem];
    const peripherals = state.value?.peripherals ?? [];
    const printer = peripherals.find((one) => one.kind === 'printer');
    return printer === undefined || isDown(printer) ? blockers(['kiosk.printer_fault'], peripherals) : [];
  });

  return { active, journey, hall: known, blocked, line };
}

export type Offline = ReturnType<typeof useOffline>;
