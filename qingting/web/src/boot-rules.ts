/** Which release a screen starts with, and when it goes back: the rules of the loader. */

/** Kept on the device. `trial` null: nothing is tried. Releases that a newer loader writes are read by an older one:
 * fields are only ever added. */
export interface Kept {
  /** The release that started last; empty: the program that came with the hall server. */
  readonly good: string;
  readonly trial: string | null;
  /** How often the trial was begun. */
  readonly tries: number;
  /** So long the trial has to say that it started. */
  readonly seconds: number;
  readonly failed: string;
}

export const NOTHING: Kept = { good: '', trial: null, tries: 0, seconds: 45, failed: '' };
/** A page that is loaded again before its trial is over, as after a power cut, tries once more. */
export const MOST_TRIES = 2;
const ID = /^([0-9a-f]{16})?$/;

export function parse(text: string | null): Kept {
  try {
    const value = { ...NOTHING, ...(JSON.parse(text ?? '{}') as Partial<Kept>) };
    const names = [value.good, value.trial ?? '', value.failed];
    const sound = names.every((one) => typeof one === 'string' && ID.test(one));
    return sound && typeof value.tries === 'number' && typeof value.seconds === 'number' ? value : NOTHING;
  } catch {
    return NOTHING;
  }
}

/** What to load now, and what to keep before it is loaded: a program that freezes the page leaves its mark. */
export function next(kept: Kept): { readonly run: string; readonly kept: Kept } {
  if (kept.trial === null) return { run: kept.good, kept };
  if (kept.tries >= MOST_TRIES) return next(failed(kept, kept.trial));
  return { run: kept.trial, kept: { ...kept, tries: kept.tries + 1 } };
}

export function started(kept: Kept, running: string): Kept {
  const failedBefore = kept.failed === running ? '' : kept.failed;
  return { ...kept, good: running, trial: null, tries: 0, failed: failedBefore };
}

/** A trial gives way to the program before it, a program that ran once to the one that came with the server. */
export function failed(kept: Kept, running: string): Kept {
  if (kept.trial === running) return { ...kept, trial: null, tries: 0, failed: running };
  return { ...kept, good: '', trial: null, tries: 0, failed: running };
}

export function begun(kept: Kept, release: string, seconds: number): Kept {
  const again = kept.failed === release ? '' : kept.failed;
  const trial = release === kept.good ? null : release;
  return { ...kept, trial, tries: 0, seconds, failed: again };
}
