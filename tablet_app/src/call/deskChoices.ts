/** What can be chosen for a ticket that is made at the desk. */
import type { ClassView } from '@qingting/client';
import { pick, pickAll } from '@qingting/client';
import type { ComputedRef } from 'vue';
import { computed } from 'vue';
import { named, useLanguage } from '../shared/i18n';
import { BOOKED } from './reasons';
import type { CallPad } from './store';

export interface KioskChoice {
  readonly id: string;
  readonly name: string;
  /** Whether its printer can print now. */
  readonly prints: boolean;
}

export interface DeskChoices {
  readonly classes: ComputedRef<readonly ClassView[]>;
  readonly kiosks: ComputedRef<readonly KioskChoice[]>;
}

/** Every class but the booked one, which only a booking gives; kiosks with what their printer says. */
export function useDeskChoices(pad: CallPad): DeskChoices {
  const language = useLanguage();
  const catalogue = pad.follow('catalogue');
  const devices = pad.follow('devices');
  const all = computed(() => pickAll(devices.entries.value, 'device'));
  return {
    classes: computed(() =>
      (pick(catalogue.entries.value, 'classes', 'classes')?.every ?? []).filter((one) => one.id !== BOOKED),
    ),
    kiosks: computed(() =>
      all.value
        .filter((one) => one.kind === 'kiosk')
        .map((one) => ({
          id: one.id,
          name: named(language.value, one.name, one.name_en),
          prints: all.value.some(
            (other) =>
              other.parent === one.id &&
              other.kind === 'printer' &&
              (other.state === 'ready' || other.state === 'degraded'),
          ),
        })),
    ),
  };
}
