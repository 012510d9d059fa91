/** How this citizen wants to see the kiosk. Forgotten with everything else at the end. */
import { reactive } from 'vue';
import type { InjectionKey } from 'vue';
import type { KioskScreen, Language } from '@qingting/client';

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

/** `usual` is how this kiosk begins for a new citizen. */
export function usePreferences(usual: () => KioskScreen) {
  const chosen = reactive<Preferences>({ ...DEFAULTS });
  let begun: Preferences = { ...DEFAULTS };

  function beginning(): Preferences {
    const { languages, elder, contrast } = usual();
    return { language: languages[0] ?? DEFAULTS.language, elder, low: false, contrast };
  }

  /** Nothing was chosen yet. */
  function pristine(): boolean {
    return (Object.keys(begun) as (keyof Preferences)[]).every((key) => chosen[key] === begun[key]);
  }

  function reset(): void {
    begun = beginning();
    Object.assign(chosen, begun);
  }

  return { chosen, pristine, reset };
}

export const PREFERENCES: InjectionKey<Preferences> = Symbol('preferences');
