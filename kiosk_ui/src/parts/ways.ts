/** The ways in which a citizen can show who they are, as words in a row. */
import { computed } from 'vue';
import type { ComputedRef } from 'vue';
import type { IdentityWay } from '@qingting/client';
import { useWords } from './words';

export function useWays(ways: ComputedRef<readonly IdentityWay[]>) {
  const { t, lang } = useWords();
  const list = (words: readonly string[]): string =>
    new Intl.ListFormat(lang.value, { type: 'disjunction' }).format(words);
  return {
    code: computed(() => ways.value.includes('code')),
    face: computed(() => ways.value.includes('face')),
    /** 刷身份证、扫市民码或刷脸; where nothing works at the moment it is the card that is missing. */
    joined: computed(() => list((ways.value.length > 0 ? ways.value : ['card' as const]).map((one) => t(`ways.${one}`)))),
    /** The same without the card, for where its reader has failed. */
    others: computed(() => list(ways.value.filter((one) => one !== 'card').map((one) => t(`ways.${one}`)))),
    /** What is waited for without a press: 证件或市民码; empty where only a face is taken. */
    awaited: computed(() => list(ways.value.filter((one) => one !== 'face').map((one) => t(`ways.awaited.${one}`)))),
  };
}
