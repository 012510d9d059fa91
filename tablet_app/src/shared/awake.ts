/** The screen stays on while the pad is in sight. Browsers allow it on https and on localhost only. */

/** Holds a wake lock, and takes it again whenever the page comes back into sight. */
export class WakeKeeper {
  private lock: WakeLockSentinel | null = null;

  /** None where the browser has no such thing: there the tablet's own setting must keep it on. */
  get held(): boolean | null {
    if (!('wakeLock' in navigator)) return null;
    return this.lock !== null && !this.lock.released;
  }

  start(): void {
    if (!('wakeLock' in navigator)) return;
    document.addEventListener('visibilitychange', () => void this.take());
    void this.take();
  }

  private async take(): Promise<void> {
    if (document.visibilityState !== 'visible' || this.held === true) return;
    try {
      this.lock = await navigator.wakeLock.request('screen');
    } catch {
      this.lock = null; // refused on a low battery; the report says that the screen may go dark
    }
  }
}
