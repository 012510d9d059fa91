/** Notices that the citizen has gone, asks once, and then has everything forgotten. */
import { computed, onScopeDispose, ref, watch } from 'vue';

export const IDLE_S = 60;
export const LEAVE_AFTER_S = 15;

/**
 * Counts the seconds without a touch while `watching()`. `remaining` is null, or the seconds left of
 * the question "are you still there?", which is asked for the last part of `seconds()`. `onLeave` also runs when the page is hidden or left.
 */
export function useIdle(
  watching: () => boolean,
  onLeave: () => void,
  seconds: () => number = () => IDLE_S,
) {
  const quiet = ref(0);
  const remaining = computed(() =>
    quiet.value < Math.max(1, seconds() - LEAVE_AFTER_S) ? null : seconds() - quiet.value,
  );

  function touch(): void {
    quiet.value = 0;
  }

  const timer = setInterval(() => {
    if (!watching()) quiet.value = 0;
    else quiet.value += 1;
    if (quiet.value >= seconds()) {
      quiet.value = 0;
      onLeave();
    }
  }, 1_000);

  function onTouch(): void {
    // Once the question is on the screen, only its button counts: a sleeve on the glass does not.
    if (remaining.value === null) touch();
  }

  function onHide(): void {
    if (document.visibilityState === 'hidden') onLeave();
  }

  watch(watching, touch);
  document.addEventListener('pointerdown', onTouch, { passive: true });
  document.addEventListener('keydown', onTouch);
  document.addEventListener('visibilitychange', onHide);
  window.addEventListener('pagehide', onLeave);
  onScopeDispose(() => {
    clearInterval(timer);
    document.removeEventListener('pointerdown', onTouch);
    document.removeEventListener('keydown', onTouch);
    document.removeEventListener('visibilitychange', onHide);
    window.removeEventListener('pagehide', onLeave);
  });

  return { remaining, touch };
}
