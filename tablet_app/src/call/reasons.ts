/** Why somebody was called, in one line, and which sign a priority class has. */
import { useI18n } from 'vue-i18n';
import { named, useLanguage } from '../shared/i18n';
import type { IconName } from '../shared/PadIcon.vue';
import { callReason } from './desk';

type Why = Readonly<Record<string, string | number>>;

/** The rules' reason code with its parameters as the clerk reads it. */
export function useReasonWords(): (reason: string, why: Why) => string {
  const { t } = useI18n();
  const language = useLanguage();
  return (reason, why) => {
    const group = named(language.value, String(why['class'] ?? ''), String(why['class_en'] ?? ''));
    return t(`call.reason.${callReason(reason)}`, { minutes: 0, ...why, class: group });
  };
}

const SIGNS: Readonly<Record<string, IconName>> = {
  booked: 'calendar',
  soldier: 'medal',
  rescue: 'flame',
  disabled: 'wheelchair',
  pregnant: 'baby',
  elderly: 'cane',
};

/** The sign of a class; one that the hall made itself has a star. */
export function classSign(id: string): IconName {
  return SIGNS[id] ?? 'star';
}

export const ORDINARY = 'ordinary';
export const BOOKED = 'booked';
