/** Choices of the person in front of the pad that should outlive a reload. */
import type { Ref } from 'vue';
import { ref, watch } from 'vue';

const PREFIX = 'qingting.tablet.';

/** A ref kept in the browser's storage; a stored word that is not allowed counts as none. */
export function usePref<T extends string>(name: string, allowed: readonly T[], first: T): Ref<T> {
  const stored = localStorage.getItem(PREFIX + name);
  const value = ref(allowed.find((word) => word === stored) ?? first) as Ref<T>;
  watch(value, (word) => localStorage.setItem(PREFIX + name, word));
  return value;
}
