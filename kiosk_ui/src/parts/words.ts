/** Words that several steps say alike. */
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import type { DeviceView, Interval, ItemView, Language } from '@qingting/client';
import { conditionWords, errorSentence } from '@qingting/client';
import { stopping } from '../app/hall';

export function useWords() {
  const { t, te, locale } = useI18n();
  const lang = computed(() => locale.value as Language);

  return {
    t,
    te,
    lang,
    /** The name in the reader's language. */
    named: (one: { readonly name: string; readonly name_en: string }): string =>
      lang.value === 'en' && one.name_en !== '' ? one.name_en : one.name,
    /** 约 12–20 分钟, or honestly that nobody can say. */
    wait(interval: Interval | null): string {
      if (interval === null) return t('wait.unknown');
      const { low, high } = interval;
      if (high <= 1) return t('wait.soon');
      return low === high || low === 0 ? t('wait.about', { high }) : t('wait.range', { low, high });
    },
    /** Why an item cannot be taken now: a sentence, or two words for a list. */
    why(item: ItemView, size: 'long' | 'short'): string {
      const key = `why.${item.why.split('.').at(-1) ?? ''}.${size}`;
      if (te(key)) return t(key);
      return size === 'short' ? t('items.closed') : errorSentence(item.why, {}, lang.value);
    },
    /** What is wrong with a device, in a few words. */
    fault(device: DeviceView): string {
      const named = stopping(device)
        .map((condition) => conditionWords(condition, lang.value).word)
        .join('、');
      return named === '' ? t(`service.state.${device.state}`) : named;
    },
  };
}
