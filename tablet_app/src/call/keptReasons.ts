/** Reasons that the hall keeps in Chinese, since boards and colleagues read them, in the reader's language. */
import { useI18n } from 'vue-i18n';
import zh from '../i18n/zh-CN.json';

const LISTS = {
  'call.park.reasons': zh.call.park.reasons,
  'call.make.reasons': zh.call.make.reasons,
  'call.ticketSheet.reasons': zh.call.ticketSheet.reasons,
  'call.pause.reasons': zh.call.pause.reasons,
} as const;

/** Key of the words in every language, by what the hall keeps. */
const KEYS: ReadonlyMap<string, string> = new Map(
  Object.entries(LISTS).flatMap(([list, reasons]) =>
    Object.entries(reasons).map(([reason, kept]) => [kept, `${list}.${reason}`] as const),
  ),
);

/** One of the usual reasons as the reader says it; a colleague's own words stay as they were written. */
export function useKeptReason(): (text: string) => string {
  const { t } = useI18n();
  return (text) => {
    const key = KEYS.get(text);
    return key === undefined ? text : t(key);
  };
}
