/** What may lie over the desk; one thing at a time. */
import type { Sheet } from './sheets/MoreSheet.vue';

export type Panel = 'none' | 'noShow' | 'pause' | 'menu' | 'more' | 'day' | 'ticket' | Sheet;

/** Panels about the visitor at the window: void once the desk moved on. The others keep what was typed. */
export function forVisit(panel: Panel): boolean {
  return ['noShow', 'pause', 'menu', 'more', 'park', 'transfer', 'addItem'].includes(panel);
}
