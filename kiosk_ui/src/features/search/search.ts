/** Finds items by Chinese name, full pinyin, initials or English, best match first. */
import type { ItemView, Language } from '@qingting/client';

/** The readings of a name and of what people also call it are separated by spaces. */
function anyStarts(readings: string, query: string): boolean {
  return readings.split(' ').some((reading) => reading.startsWith(query));
}

/** For who reads English the same letters are words first and readings of Chinese names last. */
function englishRank(english: string, query: string): number | null {
  if (english.startsWith(query)) return -3;
  if (english.split(/[^a-z0-9]+/).some((word) => word.startsWith(query))) return -2;
  return english.includes(query) && query.length > 2 ? -1 : null;
}

/** How well one item answers a query: smaller is better, null is not at all. */
function rank(item: ItemView, query: string, language: Language): number | null {
  const english = item.name_en.toLowerCase();
  const read = language === 'en' ? englishRank(english, query) : null;
  if (read !== null) return read;
  const name = item.name.toLowerCase();
  if (name.startsWith(query)) return 0;
  if (anyStarts(item.initials, query)) return 1;
  if (anyStarts(item.pinyin, query)) return 2;
  if (english.startsWith(query)) return 3;
  if (name.includes(query)) return 4;
  if (item.initials.includes(query)) return 5;
  if (english.split(/[^a-z0-9]+/).some((word) => word.startsWith(query))) return 6;
  if (item.pinyin.includes(query)) return 7;
  if (english.includes(query) && query.length > 2) return 8;
  return null;
}

/** Items for what was typed so far; spaces between pinyin syllables do not matter. */
export function searchItems(
  items: readonly ItemView[],
  typed: string,
  language: Language = 'zh-CN',
): readonly ItemView[] {
  const words = typed.trim().toLowerCase();
  if (words === '') return [];
  const joined = words.replaceAll(/\s+/g, '');
  const found: { item: ItemView; rank: number }[] = [];
  for (const item of items) {
    const best = rank(item, words, language) ?? rank(item, joined, language);
    if (best !== null) found.push({ item, rank: best });
  }
  const order = (a: (typeof found)[number], b: (typeof found)[number]): number =>
    a.rank - b.rank ||
    Number(b.item.offered) - Number(a.item.offered) ||
    Number(b.item.hot) - Number(a.item.hot) ||
    a.item.name.length - b.item.name.length;
  return found.sort(order).map(({ item }) => item);
}
