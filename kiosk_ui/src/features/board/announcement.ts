/** What the board says aloud: each call exactly once, in order, one at a time. */
import type { BoardCall } from '@qingting/client';

const DIGITS = '零一二三四五六七八九';

/** Digits one by one, letters as letters: A001 → A零零一. */
export function spokenNumber(number: string): string {
  return number.replaceAll(/\d/g, (digit) => DIGITS[Number(digit)] ?? digit);
}

/** 请 A零零一号 到 3号窗口. The window's number is read as a number: 12 is 十二. */
export function announcement(call: Pick<BoardCall, 'number' | 'window_number'>): string {
  return `请 ${spokenNumber(call.number)}号 到 ${call.window_number}号窗口`;
}

/** A call older than this is history: saying it now would send people to a window that moved on. */
export const TOO_OLD_MS = 120_000;

/** Remembers over a reload of the page what was announced. */
export interface AnnouncedMemory {
  load(): number | null;
  save(callNo: number): void;
}

/**
 * Says new calls through `say`, which resolves when the sentence is over. The calls on the board when
 * it starts are taken as announced, unless the memory knows better.
 */
export class Announcer {
  private last: number | null;
  private readonly waiting: BoardCall[] = [];
  private speaking = false;

  constructor(
    private readonly say: (call: BoardCall) => Promise<void>,
    private readonly memory: AnnouncedMemory,
    private readonly onFault: (fault: unknown) => void,
  ) {
    this.last = memory.load();
  }

  /** Takes all calls that the board shows; may be told the same calls any number of times. */
  see(calls: readonly BoardCall[], now: number): void {
    const highest = calls.reduce((most, call) => Math.max(most, call.call_no), 0);
    if (this.last === null) {
      this.remember(highest);
      return;
    }
    // Numbers begin again with a business day: then everything on the board is new.
    const last = calls.length > 0 && highest < this.last ? 0 : this.last;
    const fresh = calls
      .filter((call) => call.call_no > last && call.active && now - call.called_at < TOO_OLD_MS)
      .sort((a, b) => a.call_no - b.call_no);
    if (highest !== this.last && calls.length > 0) this.remember(highest);
    this.waiting.push(...fresh);
    void this.work();
  }

  private async sayOne(call: BoardCall): Promise<void> {
    try {
      await this.say(call);
    } catch (fault) {
      // One that cannot be said must not silence those behind it; the board still shows it.
      this.onFault(fault);
    }
  }

  private remember(callNo: number): void {
    this.last = callNo;
    this.memory.save(callNo);
  }

  private async work(): Promise<void> {
    if (this.speaking) return;
    this.speaking = true;
    try {
      for (let call = this.waiting.shift(); call !== undefined; call = this.waiting.shift()) {
        await this.sayOne(call);
      }
    } finally {
      this.speaking = false;
    }
  }
}
