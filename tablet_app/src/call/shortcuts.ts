/** Keys of a clerk who has a keyboard beside the pad. */

export type Shortcut = 'primary' | 'recall' | 'noShow' | 'confirm' | 'pause' | 'menu' | 'theme' | 'close';

const KEYS: Readonly<Record<string, Shortcut>> = {
  ' ': 'primary',
  r: 'recall',
  n: 'noShow',
  y: 'confirm',
  p: 'pause',
  m: 'menu',
  t: 'theme',
  escape: 'close',
};

/** What a key means here; null where it belongs to a field, a focused control or the browser. */
export function shortcutOf(event: KeyboardEvent, panelOpen: boolean): Shortcut | null {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return null;
  const { target } = event;
  if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return null;
  const shortcut = KEYS[event.key.toLowerCase()] ?? null;
  // The space bar presses whatever control was reached by the Tab key, and nothing behind a panel.
  const onControl = target instanceof HTMLButtonElement && target.matches(':focus-visible');
  if (shortcut === 'primary' && (panelOpen || onControl)) return null;
  return shortcut;
}
