/** The hall server's voice: the announcement of a call as sound, where the server has a synthesiser. */

/** How often the server is asked whether it can speak. */
export const CHECK_EVERY_MS = 30_000;
const CHECK_AT_MOST_MS = 6_000;
/** A sentence takes the server some hundredths of a second; those behind this one are waiting. */
const SOUND_AT_MOST_MS = 8_000;

export class HallVoice {
  /** True when the server has just shown that it can speak. */
  available = false;
  private checking: Promise<void> = Promise.resolve();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly base = '/voice') {}

  /** Follows from now on whether the server can speak. */
  start(): void {
    this.check();
    this.timer = setInterval(() => this.check(), CHECK_EVERY_MS);
  }

  /** Asks the server now. */
  check(): void {
    this.checking = this.ask();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** The announcement as a WAV file, or null when the server cannot say it. Never throws. */
  async words(callNo: number): Promise<ArrayBuffer | null> {
    if (!this.available) await this.checking;
    if (!this.available) return null;
    try {
      const response = await fetch(`${this.base}/${callNo}.wav`, {
        signal: AbortSignal.timeout(SOUND_AT_MOST_MS),
      });
      if (response.ok) return await response.arrayBuffer();
      // 404 is a call that has left the board since; anything else is a voice that fell silent.
      if (response.status !== 404) this.failed();
    } catch {
      // The line to the server is down or slow. The board says that itself, with the age of what it shows.
      this.failed();
    }
    return null;
  }

  /** Known to be silent, and asked again at once: the next call may be spoken again. */
  private failed(): void {
    this.available = false;
    this.check();
  }

  private async ask(): Promise<void> {
    try {
      const response = await fetch(`${this.base}/available`, {
        signal: AbortSignal.timeout(CHECK_AT_MOST_MS),
      });
      const answer: unknown = response.ok ? await response.json() : null;
      this.available = (answer as { available?: unknown } | null)?.available === true;
    } catch {
      this.available = false;
    }
  }
}
