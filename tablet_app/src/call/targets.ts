/** Where a visitor can be sent, as the hall is now. */
import { pickAll } from '@qingting/client';
import type { ComputedRef } from 'vue';
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import { named, useLanguage } from '../shared/i18n';
import { useKeptReason } from './keptReasons';
import type { CallPad } from './store';

export type TargetKind = 'queue' | 'window' | 'staff' | 'item';

export interface Target {
  readonly id: string;
  /** A window's number; empty for others. */
  readonly sign: string;
  readonly name: string;
  readonly detail: string;
}

export interface Targets {
  /** False until the hall said what there is: never an empty list before. */
  readonly loaded: ComputedRef<boolean>;
  readonly queue: ComputedRef<readonly Target[]>;
  readonly window: ComputedRef<readonly Target[]>;
  readonly staff: ComputedRef<readonly Target[]>;
}

/** Queues, windows that are not closed, and colleagues at one; the own window is none of them. */
export function useTargets(pad: CallPad): Targets {
  const { t } = useI18n();
  const language = useLanguage();
  const pauseReason = useKeptReason();
  const queues = pad.follow('queues');
  const windows = pad.follow('windows');
  const others = computed(() =>
    pickAll(windows.entries.value, 'window_brief')
      .filter((one) => one.state !== 'closed' && one.id !== pad.view.value?.id)
      .sort((a, b) => a.number.localeCompare(b.number, 'zh-CN', { numeric: true })),
  );
  const waiting = (n: number): string => t('call.transfer.waiting', { n });
  return {
    loaded: computed(() => queues.loaded.value && windows.loaded.value),
    queue: computed(() =>
      pickAll(queues.entries.value, 'queue').map((one) => ({
        id: one.id,
        sign: '',
        name: named(language.value, one.name, one.name_en),
        detail: waiting(one.waiting),
      })),
    ),
    window: computed(() =>
      others.value.map((one) => ({
        id: one.id,
        sign: one.number,
        name: named(language.value, one.name, one.name_en),
        detail:
          one.state === 'paused'
            ? t('call.windows.pausedBy', { name: one.staff_name, reason: pauseReason(one.pause_reason) })
            : `${one.staff_name} · ${waiting(one.waiting)}`,
      })),
    ),
    staff: computed(() =>
      others.value.flatMap((one) =>
        one.staff === null
          ? []
          : [
              {
                id: one.staff,
                sign: '',
                name: one.staff_name,
                detail: `${t('call.transfer.atWindow', { window: one.number })} · ${waiting(one.waiting)}`,
              },
            ],
      ),
    ),
  };
}
