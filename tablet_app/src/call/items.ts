/** Finding a service item by name, by pinyin or by its initials. */
import type { ItemView } from '@qingting/client';

/** Items that fit, the best first; all of them, the most asked for first, for an empty text. */
export function searchItems(items: readonly ItemView[], text: string): readonly ItemView[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [...items].sort((a, b) => Number(b.hot) - Number(a.hot));
  return items
    .map((item) => ({ item, rank: rankOf(item, wanted) }))
    .filter((one) => one.rank > 0)
    .sort((a, b) => b.rank - a.rank)
    .map((one) => one.item);
}

/** 0 when it does not fit: the start of the name counts most, a part of a word least. */
function rankOf(item: ItemView, wanted: string): number {
  const initials = item.initials.split(' ');
  const readings = item.pinyin.split(' ');
  if (item.name.startsWith(wanted) || initials.some((one) => one.startsWith(wanted))) return 4;
  if (readings.some((one) => one.startsWith(wanted))) return 3;
  if (item.name.includes(wanted) || item.name_en.toLowerCase().includes(wanted)) return 2;
  return initials.some((one) => one.includes(wanted)) || item.pinyin.includes(wanted) ? 1 : 0;
}
