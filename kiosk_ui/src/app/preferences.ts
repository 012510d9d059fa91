/** How this citizen wants to see the kiosk. Forgotten with everything else at the end. */
import { reactive } from 'vue';
import type { InjectionKey } from 'vue';
import type { Language } from '@qingting/client';

export interface Preferences {
  language: Language;
  /** 长辈版: larger type, stronger lines, fewer choices at once. */
  elder: boolean;
  /** Every control within reach from a wheelchair: the lower 40 % of the screen. */
  low: boolean;
  /** 高对比: black on white, every edge drawn. */
  contrast: boolean;
}

const DEFAULTS: Readonly<Preferences> = {
  language: 'zh-CN',
  elder: false,
  low: false,
  contrast: false,
};

export function usePreferences() {
  const chosen = reactive<Preferences>({ ...DEFAULTS });
  return { chosen, reset: () => Object.assign(chosen, DEFAULTS) };
}

export const PREFERENCES: InjectionKey<Preferences> = Symbol('preferences');
