/** How this kiosk looks and what it offers, as the hall's template for it says. */
import { computed } from 'vue';
import type { ComputedRef } from 'vue';
import type { KioskBlock, KioskScreen, KioskView } from '@qingting/client';

const READ: readonly KioskBlock[] = ['queues', 'scan'];

/** A hall that knows no templates: everything, in the usual order. */
export const STANDARD: KioskScreen = {
  template: 'builtin',
  greeting: '',
  greeting_en: '',
  start: 'home',
  blocks: ['queues', 'scan', 'take', 'booking', 'search', 'hot'],
  items: null,
  hot: [],
  languages: ['zh-CN', 'en'],
  elder: false,
  contrast: false,
  idle_seconds: 60,
  notices: [],
};

export function useScreen(kiosk: ComputedRef<KioskView | null>): ComputedRef<KioskScreen> {
  return computed(() => kiosk.value?.screen ?? STANDARD);
}

/** The blocks that are only read, in their order. */
export function readBlocks(screen: KioskScreen): readonly KioskBlock[] {
  return screen.blocks.filter((block) => READ.includes(block));
}

/** The blocks that are touched, in rows: the two smaller ways in stand side by side when neighbours. */
export function touchRows(screen: KioskScreen): readonly (readonly KioskBlock[])[] {
  const rows: KioskBlock[][] = [];
  const small = (block: KioskBlock | undefined): boolean => block === 'booking' || block === 'search';
  for (const block of screen.blocks) {
    if (READ.includes(block)) continue;
    const last = rows.at(-1);
    if (small(block) && last !== undefined && small(last[0])) last.push(block);
    else rows.push([block]);
  }
  return rows;
}
