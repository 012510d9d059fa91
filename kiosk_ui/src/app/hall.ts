/** What the hall tells this kiosk: catalogue, queues, its own state. One set of topics for all steps. */
import { computed } from 'vue';
import type { InjectionKey } from 'vue';
import type { Condition, DeviceView, HallConnection, KioskTicket, Problem } from '@qingting/client';
import { conditionWords, isCondition, pick, pickAll } from '@qingting/client';
import { useNow, useStatus, useTopic } from '@qingting/client/vue';
import { useScreen } from './screen';

/** Follows the hall for as long as the calling scope lives. */
export function useHall(connection: HallConnection) {
  const status = useStatus(connection);
  const device = computed(() => status.value.welcome?.device ?? null);
  const hallTopic = useTopic(connection, 'hall');
  const catalogue = useTopic(connection, 'catalogue');
  const queueTopic = useTopic(connection, 'queues');
  const own = useTopic(connection, () => (device.value === null ? null : `kiosk:${device.value}`));

  const all = computed(
    () => pick(catalogue.entries.value, 'departments', 'departments')?.departments ?? [],
  );
  const everything = computed(() => pick(catalogue.entries.value, 'items', 'items')?.items ?? []);
  const classes = computed(
    () => pick(catalogue.entries.value, 'classes', 'classes')?.classes ?? [],
  );
  const queues = computed(() => pickAll(queueTopic.entries.value, 'queue'));
  const kiosk = computed(() => pick(own.entries.value, 'kiosk', 'kiosk') ?? null);
  const screen = useScreen(kiosk);
  /** What this kiosk offers; a ticket from elsewhere may still name another item. */
  const items = computed(() => {
    const offered = screen.value.items;
    return offered === null
      ? everything.value
      : everything.value.filter((item) => offered.includes(item.id));
  });
  const departments = computed(() =>
    all.value
      .map((one) => ({ ...one, items: items.value.filter((item) => item.department === one.id).length }))
      .filter((one) => one.items > 0),
  );

  return {
    /** True when this machine works without its hall. */
    offline: false as boolean,
    status,
    now: useNow(connection),
    info: computed(() => pick(hallTopic.entries.value, 'info', 'hall') ?? null),
    departments,
    items,
    /** Priority classes that a citizen may claim here. */
    classes,
    queues,
    kiosk,
    /** How a citizen can show here and now who they are. */
    ways: computed(() => kiosk.value?.ways ?? []),
    /** There is a card reader here and it does not work. */
    readerOut: computed(
      () =>
        kiosk.value?.peripherals.some((one) => one.kind === 'id_reader') === true &&
        !kiosk.value.ways.includes('card'),
    ),
    /** The hall takes citizen codes, yet their platform cannot be reached. */
    codeDown: computed(() => kiosk.value?.code_down === true),
    screen,
    loaded: computed(() => catalogue.loaded.value && own.loaded.value),
    age: catalogue.age,
    item: (id: string) => everything.value.find((one) => one.id === id) ?? null,
    department: (id: string) => all.value.find((one) => one.id === id) ?? null,
    queue: (id: string) => queues.value.find((one) => one.id === id) ?? null,
    /** People waiting in the whole hall; null while nobody knows. */
    waiting: computed(() =>
      queueTopic.loaded.value ? queues.value.reduce((sum, queue) => sum + queue.waiting, 0) : null,
    ),
    ticket: (id: string): KioskTicket | null =>
      pick(own.entries.value, `ticket:${id}`, 'kiosk_ticket') ?? null,
  };
}

export type Hall = ReturnType<typeof useHall>;
export const HALL: InjectionKey<Hall> = Symbol('hall');

/** The conditions of a device that stop it. */
export function stopping(device: DeviceView): readonly Condition[] {
  return device.conditions
    .map(({ condition }) => condition)
    .filter((condition) => conditionWords(condition, 'zh-CN').severity === 'critical');
}

/** True when the peripheral cannot do its work now. */
export function isDown(device: DeviceView): boolean {
  return (device.state !== 'ready' && device.state !== 'degraded') || stopping(device).length > 0;
}

const PRINTER_CODE = 'kiosk.printer_';

/**
 * Why no ticket can be taken here, as problems with their parameters. The view names codes only; what
 * is wrong with the printer is read from its conditions.
 */
export function blockers(
  blockedBy: readonly string[],
  peripherals: readonly DeviceView[],
): readonly Problem[] {
  const printer = peripherals.find((device) => device.kind === 'printer');
  return blockedBy.map((code) => {
    const fault = code.slice(PRINTER_CODE.length);
    const named = code.startsWith(PRINTER_CODE) && isCondition(fault) ? fault : undefined;
    const condition = named ?? (printer && stopping(printer)[0]);
    if (named === undefined && code !== `${PRINTER_CODE}fault`) return { code, params: {} };
    return {
      code: `${PRINTER_CODE}fault`,
      params: condition === undefined ? {} : { condition },
    };
  });
}
