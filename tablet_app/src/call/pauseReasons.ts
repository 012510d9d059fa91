/** Why a window pauses. The hall keeps the Chinese words, since boards and colleagues read them. */
import { useI18n } from 'vue-i18n';
import zh from '../i18n/zh-CN.json';

export const PAUSE_REASONS = ['break', 'lunch', 'papers', 'device', 'meeting', 'other'] as const;
export type PauseReason = (typeof PAUSE_REASONS)[number];

/** What is sent to the hall. */
export function pauseText(reason: PauseReason): string {
  return zh.call.pause.reasons[reason];
}

/** A reason as the hall keeps it, in the reader's language where it is one of ours. */
export function usePauseReason(): (text: string) => string {
  const { t } = useI18n();
  return (text) => {
    const known = PAUSE_REASONS.find((reason) => pauseText(reason) === text);
    return known === undefined ? text : t(`call.pause.reasons.${known}`);
  };
}
