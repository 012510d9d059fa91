/** A countdown that can be extended and that stands still while `held()`. */
import { onScopeDispose, ref } from 'vue';

export function useCountdown(seconds: number, held: () => boolean, onEnd: () => void) {
  const left = ref(seconds);
  const timer = setInterval(() => {
    if (held()) return;
    left.value -= 1;
    if (left.value <= 0) {
      clearInterval(timer);
      onEnd();
    }
  }, 1_000);
  onScopeDispose(() => clearInterval(timer));
  return {
    left,
    extend(more: number): void {
      left.value = Math.max(left.value, more);
    },
  };
}
