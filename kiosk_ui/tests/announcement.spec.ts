import { describe, expect, it } from 'vitest';
import type { BoardSay } from '@qingting/client';
import { boardSay } from '../src/dev/sample';
import type { SaidMemory } from '../src/features/board/announcement';
import { Announcer, tabMemory } from '../src/features/board/announcement';

/** A board and the hall's list of what it owes: a call leaves the list when it was reported. */
function board(memory: SaidMemory = notepad()) {
  const begun: number[] = [];
  const reported: number[] = [];
  const faults: unknown[] = [];
  const endings: ((said: boolean) => void)[] = [];
  let list: readonly BoardSay[] = [];
  let online = true;
  const announcer = new Announcer(
    (one) => {
      begun.push(one.call_no);
      return new Promise((resolve) => endings.push(resolve));
    },
    (callNo) => {
      if (!online) return Promise.reject(new Error('the line is down'));
      reported.push(callNo);
      list = list.filter((one) => one.call_no !== callNo);
      announcer.see(list);
      return Promise.resolve();
    },
    memory,
    (fault) => faults.push(fault),
  );
  return {
    begun,
    reported,
    faults,
    memory,
    see(...owed: readonly BoardSay[]): void {
      list = owed;
      announcer.see(list);
    },
    async end(said = true): Promise<void> {
      endings.shift()?.(said);
      await new Promise((resolve) => setTimeout(resolve));
    },
    line(up: boolean): void {
      online = up;
    },
  };
}

function notepad(): SaidMemory & { numbers: readonly number[] } {
  return {
    numbers: [],
    load() {
      return this.numbers;
    },
    save(said) {
      this.numbers = said;
    },
  };
}

describe('announcements', () => {
  it('come in the order of the hall and never over one another', async () => {
    const { begun, see, end } = board();
    const [first, second, third] = [boardSay(1, 'A001', '2'), boardSay(2, 'A002', '1'), boardSay(3, 'A003', '1')];
    see(second, first);
    expect(begun).toEqual([1]);
    see(first, second, third);
    expect(begun).toEqual([1]);
    await end();
    expect(begun).toEqual([1, 2]);
    await end();
    await end();
    expect(begun).toEqual([1, 2, 3]);
  });

  it('keep the place of the first call when it was called again before it was said', async () => {
    const { begun, see, end } = board();
    see(boardSay(9, 'A001', '2', { order: 1 }), boardSay(2, 'A002', '1'));
    await end();
    await end();
    expect(begun).toEqual([9, 2]);
  });

  it('are reported when they are over, and not before', async () => {
    const { reported, see, end } = board();
    see(boardSay(1, 'A001', '2'));
    expect(reported).toEqual([]);
    await end();
    expect(reported).toEqual([1]);
  });

  it('are said once, however often the board is told of them', async () => {
    const { begun, see, end } = board();
    const one = boardSay(1, 'A001', '2');
    see(one);
    see(one);
    await end();
    see(one);
    await end();
    expect(begun).toEqual([1]);
  });

  it('say a recall again, because it has a number of its own', async () => {
    const { begun, see, end } = board();
    see(boardSay(1, 'A001', '2'));
    await end();
    see(boardSay(2, 'A001', '2'));
    expect(begun).toEqual([1, 2]);
  });

  it('are not said again when the report was lost, only reported again', async () => {
    const { begun, reported, see, end, line } = board();
    line(false);
    see(boardSay(1, 'A001', '2'));
    await end();
    expect(reported).toEqual([]);
    line(true);
    see(boardSay(1, 'A001', '2'), boardSay(2, 'A002', '2'));
    expect(begun).toEqual([1, 2]);
    expect(reported).toEqual([1]);
  });

  it('are not said again after a reload of the page', async () => {
    const first = board();
    first.line(false);
    first.see(boardSay(1, 'A001', '2'));
    await first.end();
    const second = board(first.memory);
    second.see(boardSay(1, 'A001', '2'), boardSay(2, 'A002', '2'));
    expect(second.begun).toEqual([2]);
    expect(second.reported).toEqual([1]);
  });

  it('are said again in whole after one that broke off in the middle', async () => {
    const first = board();
    first.see(boardSay(1, 'A001', '2'));
    const second = board(first.memory);
    second.see(boardSay(1, 'A001', '2'));
    expect(second.begun).toEqual([1]);
  });

  it('are dropped when the hall takes them off its list before they begin', async () => {
    const { begun, reported, see, end } = board();
    see(boardSay(1, 'A001', '2'), boardSay(2, 'A002', '2'));
    see(boardSay(1, 'A001', '2'));
    await end();
    expect(begun).toEqual([1]);
    expect(reported).toEqual([1]);
  });

  it('go on, without a report, after one that was left unsaid', async () => {
    const { begun, reported, see, end } = board();
    see(boardSay(1, 'A001', '2'));
    see(boardSay(2, 'A002', '2'));
    await end(false);
    await end();
    expect(begun).toEqual([1, 2]);
    expect(reported).toEqual([2]);
  });

  it('go on after one that could not be said', async () => {
    const begun: number[] = [];
    const faults: unknown[] = [];
    const announcer = new Announcer(
      (one) => {
        begun.push(one.call_no);
        return one.call_no === 1 ? Promise.reject(new Error('no audio device')) : Promise.resolve(true);
      },
      () => Promise.resolve(),
      notepad(),
      (fault) => faults.push(fault),
    );
    announcer.see([boardSay(1, 'A001', '2'), boardSay(2, 'A002', '2')]);
    await new Promise((resolve) => setTimeout(resolve));
    expect(begun).toEqual([1, 2]);
    expect(faults).toEqual([new Error('no audio device')]);
  });
});

describe('the memory of the tab', () => {
  it('holds what was said and takes nothing else for it', () => {
    tabMemory().save([3, 4]);
    expect(tabMemory().load()).toEqual([3, 4]);
    sessionStorage.setItem('qingting.board.said', '{"3":true}');
    expect(tabMemory().load()).toEqual([]);
  });
});
