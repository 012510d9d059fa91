/** How a pressure value is read: always by word and sign, never by colour alone. */
import type { PressureLevel } from '@qingting/client';
import type { IconName } from '../shared/PadIcon.vue';

const ICONS: Readonly<Record<PressureLevel, IconName>> = { calm: 'check', busy: 'clock', overloaded: 'alert' };

export function levelIcon(level: PressureLevel): IconName {
  return ICONS[level];
}
