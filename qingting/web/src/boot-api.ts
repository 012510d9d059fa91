/** What a screen's program may ask of the loader that started it. Types only: loader and program share no code, so that
 * a broken program cannot break what goes back to the former one. */
export interface Boot {
  /** The release that was loaded; empty: the program that came with the hall server. */
  readonly running: string;
  /** The latest release that did not start here; empty for none. */
  readonly failed: string;
  /** The program is on the screen and has had an answer of its hall: it stays. */
  started(): void;
  /** Fetches a release for later. False when the hall has none of that name. */
  prepare(release: string): Promise<boolean>;
  /** Loads the page with another release, which has `seconds` to say that it started. */
  begin(release: string, seconds: number): void;
}

declare global {
  interface Window {
    qingtingBoot?: Boot;
  }
}
