/** Draws a screen made for one size at the size there is: a demonstration window, or another panel. */
import { onScopeDispose, ref } from 'vue';

/** The zoom with which `width` × `height` just fits the window. */
export function useStage(width: number, height: number) {
  const zoom = ref(1);
  function fit(): void {
    zoom.value = Math.min(window.innerWidth / width, window.innerHeight / height);
  }
  fit();
  window.addEventListener('resize', fit);
  onScopeDispose(() => window.removeEventListener('resize', fit));
  return zoom;
}
