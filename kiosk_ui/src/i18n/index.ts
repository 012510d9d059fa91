/** Words of the kiosk and the board, Chinese first. */
import { createI18n } from 'vue-i18n';
import type { Language } from '@qingting/client';
import en from './en.json';
import zh from './zh-CN.json';

export function createTexts(locale: Language = 'zh-CN') {
  return createI18n<[typeof zh], Language, false>({
    legacy: false,
    locale,
    fallbackLocale: 'zh-CN',
    messages: { 'zh-CN': zh, en },
  });
}
