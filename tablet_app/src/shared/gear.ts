/** What a pad's screens share with the tablet they run on. */
import type { InjectionKey, WatchSource } from 'vue';
import { inject, watch } from 'vue';
import { Chime } from './sound';

export const CHIME: InjectionKey<Chime> = Symbol('chime');
/** Whether the pad may be loaded anew now: nobody is called, served or asked here. */
export const REST: InjectionKey<{ idle: boolean }> = Symbol('rest');

/** The pad's tones; silent ones where no pad was started, as in tests of a screen. */
export function useChime(): Chime {
  return inject(CHIME, () => new Chime(), true);
}

/** Says whether the pad may be renewed; a pad that never says so is never renewed. */
export function useRest(idle: WatchSource<boolean>): void {
  const rest = inject(REST, { idle: false });
  watch(
    idle,
    (value) => {
      rest.idle = value;
    },
    { immediate: true },
  );
}
