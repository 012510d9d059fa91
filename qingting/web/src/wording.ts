import type { Language } from './generated/contract';

/** Words with the language that they are in, for `lang` beside them. */
export interface Wording<Words> {
  readonly words: Words;
  readonly lang: Language;
}

/** The English words for a reader of English; the Chinese ones, marked as such, where nobody has translated. */
export function wording<Words extends string | readonly string[]>(
  reader: Language,
  chinese: Words,
  english: Words,
): Wording<Words> {
  return reader === 'en' && english.length > 0
    ? { words: english, lang: 'en' }
    : { words: chinese, lang: 'zh-CN' };
}
