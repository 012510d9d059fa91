/** The generated tables of words, opened to look-up by any text that came over the wire. */
import type { Condition, RatingLevel } from './generated/contract';
import { CONDITION_TEXTS, ERROR_TEXTS, LEVEL_WORDS, RATING_TAGS } from './generated/texts';

export interface ErrorText {
  readonly zh: string;
  readonly en: string;
  readonly retry: boolean;
}

export interface ConditionText {
  readonly severity: 'info' | 'warning' | 'critical';
  readonly zh: string;
  readonly en: string;
  readonly hint_zh: string;
  readonly hint_en: string;
}

export interface RatingTag {
  readonly code: string;
  readonly level: RatingLevel;
  readonly basic: boolean;
  readonly zh: string;
  readonly en: string;
}

const ERRORS: Readonly<Record<string, ErrorText>> = ERROR_TEXTS;
const CONDITIONS: Readonly<Record<Condition, ConditionText>> = CONDITION_TEXTS;
const LEVELS: Readonly<Record<RatingLevel, { readonly zh: string; readonly en: string }>> =
  LEVEL_WORDS;

export const ratingTags: readonly RatingTag[] = RATING_TAGS;

/** The entry of an error code; undefined for a code of a newer server. */
export function errorText(code: string): ErrorText | undefined {
  return ERRORS[code];
}

export function conditionText(condition: Condition): ConditionText {
  return CONDITIONS[condition];
}

export function isCondition(word: string): word is Condition {
  return word in CONDITIONS;
}

export function levelText(level: RatingLevel): { readonly zh: string; readonly en: string } {
  return LEVELS[level];
}
