/** Why a window pauses. The hall keeps the Chinese words, since boards and colleagues read them. */
import zh from '../i18n/zh-CN.json';

export const PAUSE_REASONS = ['break', 'lunch', 'papers', 'device', 'meeting', 'other'] as const;
export type PauseReason = (typeof PAUSE_REASONS)[number];

/** What is sent to the hall. */
export function pauseText(reason: PauseReason): string {
  return zh.call.pause.reasons[reason];
}
