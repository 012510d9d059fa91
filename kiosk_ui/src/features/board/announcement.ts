/** What the board says aloud: each call that the hall says it owes, in order, one at a time. */
import type { BoardSay } from '@qingting/client';

/** Calls that were said, kept over a reload of the page until the hall knows it too. */
export interface SaidMemory {
  load(): readonly number[];
  save(said: readonly number[]): void;
}

/**
 * Says a call and resolves when it is over, with false when it was left unsaid because `owed` turned false
 * before it could begin.
 */
export type Say = (call: BoardSay, owed: () => boolean) => Promise<boolean>;

const REMEMBERED = 64;

/**
 * Works off the list of owed calls, which the hall keeps: a call leaves it when this board has reported
 * it said. Between saying and reporting lies a line that can break, so what was said is remembered here
 * and only reported again. One that broke off in the middle of a sentence is said again in whole.
 */
export class Announcer {
  private owed: readonly BoardSay[] = [];
  private said: number[];
  private readonly reporting = new Set<number>();
  private working = false;

  constructor(
    private readonly say: Say,
    private readonly report: (callNo: number) => Promise<void>,
    private readonly memory: SaidMemory,
    private readonly onFault: (fault: unknown) => void,
  ) {
    this.said = [...memory.load()];
  }

  /** Takes the list of owed calls; may be told the same ones any number of times. */
  see(owed: readonly BoardSay[]): void {
    this.owed = [...owed].sort((a, b) => a.order - b.order);
    for (const call of this.owed) if (this.said.includes(call.call_no)) void this.tell(call.call_no);
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (let call = this.next(); call !== undefined; call = this.next()) {
      if (!(await this.sayOne(call))) continue;
      this.said = [...this.said.slice(1 - REMEMBERED), call.call_no];
      this.memory.save(this.said);
      void this.tell(call.call_no);
    }
    this.working = false;
  }

  private async sayOne(call: BoardSay): Promise<boolean> {
    try {
      return await this.say(call, () => this.owed.some((one) => one.call_no === call.call_no));
    } catch (fault) {
      // One that cannot be said must not silence those behind it; the board still shows it.
      this.onFault(fault);
      return true;
    }
  }

  private next(): BoardSay | undefined {
    return this.owed.find((call) => !this.said.includes(call.call_no));
  }

  private async tell(callNo: number): Promise<void> {
    if (this.reporting.has(callNo)) return;
    this.reporting.add(callNo);
    try {
      await this.report(callNo);
    } catch (fault) {
      // It stays on the hall's list and is reported again when that comes.
      this.onFault(fault);
    } finally {
      this.reporting.delete(callNo);
    }
  }
}

/** Memory of the page's tab: a reload neither repeats nor forgets. */
export function tabMemory(): SaidMemory {
  const place = 'qingting.board.said';
  return {
    load: () => {
      const numbers: unknown = JSON.parse(sessionStorage.getItem(place) ?? '[]');
      return Array.isArray(numbers) ? numbers.filter((one) => typeof one === 'number') : [];
    },
    save: (said) => sessionStorage.setItem(place, JSON.stringify(said)),
  };
}
