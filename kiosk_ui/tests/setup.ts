import { vi } from 'vitest';

/** A warning of the framework is a fault of ours: it fails the test that caused it. */
vi.spyOn(console, 'warn').mockImplementation((...words: unknown[]) => {
  throw new Error(words.map(String).join(' '));
});
