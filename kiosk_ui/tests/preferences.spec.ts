import { describe, expect, it } from 'vitest';
import type { KioskScreen } from '@qingting/client';
import { usePreferences } from '../src/app/preferences';
import { STANDARD } from '../src/app/screen';

describe('what a citizen chose', () => {
  it('stays when the hall changes how the kiosk begins', () => {
    let screen: KioskScreen = STANDARD;
    const preferences = usePreferences(() => screen);
    preferences.chosen.language = 'en';
    screen = { ...STANDARD, elder: true };
    expect(preferences.pristine()).toBe(false);
    expect(preferences.chosen.language).toBe('en');
  });

  it('is nothing as long as only the beginning changed', () => {
    let screen: KioskScreen = STANDARD;
    const preferences = usePreferences(() => screen);
    screen = { ...STANDARD, languages: ['en', 'zh-CN'], contrast: true };
    expect(preferences.pristine()).toBe(true);
    preferences.reset();
    expect(preferences.chosen).toEqual({ language: 'en', elder: false, low: false, contrast: true });
    expect(preferences.pristine()).toBe(true);
  });
});
