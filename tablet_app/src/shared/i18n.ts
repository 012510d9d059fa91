/** Words of both pads: Chinese first, English second, kept per device. */
import type { Language } from '@qingting/client';
import { computed } from 'vue';
import type { WritableComputedRef } from 'vue';
import { createI18n, useI18n } from 'vue-i18n';
import en from '../i18n/en.json';
import zh from '../i18n/zh-CN.json';

export const messages = { 'zh-CN': zh, en } as const;

export function makeI18n(language: Language = 'zh-CN') {
  return createI18n({ legacy: false, locale: language, fallbackLocale: 'zh-CN', messages });
}

/** The page's language; setting it also tells the document, so that speech and hyphenation follow. */
export function useLanguage(): WritableComputedRef<Language> {
  const { locale } = useI18n();
  return computed({
    get: () => (locale.value === 'en' ? 'en' : 'zh-CN'),
    set: (language) => {
      locale.value = language;
      document.documentElement.lang = language;
    },
  });
}

/** The name in the reader's language; Chinese where no English name was entered. */
export function named(language: Language, zhName: string, enName: string): string {
  return language === 'en' && enName !== '' ? enName : zhName;
}
