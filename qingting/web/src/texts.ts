/** The catalogue's words: error sentences, device conditions, rating levels and tags. */
import type { Condition, Language, Problem, RatingLevel } from './generated/contract';
import { conditionText, errorText, isCondition, levelText, ratingTags } from './catalogue';
import type { ConditionText } from './catalogue';
import type { ErrorParams } from './errors';

/** The sentence of an error code; a missing parameter shows as an ellipsis, as on the servers. */
export function errorSentence(code: string, params: ErrorParams, lang: Language): string {
  const text = errorText(code) ?? errorText('internal');
  const template = (lang === 'en' ? text?.en : text?.zh) ?? '';
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    return value === undefined ? '…' : paramWords(name, value, lang);
  });
}

/** The sentence of a problem as it came over the wire, or of a HallError. */
export function problemSentence(problem: Problem, lang: Language): string {
  return errorSentence(problem.code, problem.params, lang);
}

export interface ConditionWords {
  readonly word: string;
  readonly hint: string;
  readonly severity: ConditionText['severity'];
}

/** A device condition in words with its severity and the hint for the hall's staff. */
export function conditionWords(condition: Condition, lang: Language): ConditionWords {
  const text = conditionText(condition);
  return lang === 'en'
    ? { word: text.en, hint: text.hint_en, severity: text.severity }
    : { word: text.zh, hint: text.hint_zh, severity: text.severity };
}

/** 非常满意, or "Very satisfied". */
export function levelWords(level: RatingLevel, lang: Language): string {
  const text = levelText(level);
  return lang === 'en' ? text.en : text.zh;
}

export interface TagWords {
  readonly code: string;
  readonly words: string;
  readonly basic: boolean;
}

/** The tags offered with a level, in the catalogue's order. */
export function tagsOf(level: RatingLevel, lang: Language): readonly TagWords[] {
  return ratingTags
    .filter((tag) => tag.level === level)
    .map(({ code, basic, zh, en }) => ({ code, basic, words: lang === 'en' ? en : zh }));
}

function paramWords(name: string, value: string | number, lang: Language): string {
  if (name === 'condition' && typeof value === 'string' && isCondition(value)) {
    return conditionWords(value, lang).word;
  }
  return String(value);
}
