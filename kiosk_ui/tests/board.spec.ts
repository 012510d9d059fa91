import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { call } from '../src/dev/sample';
import { ROWS_NOW, useBoard } from '../src/features/board/store';
import type { Bench } from './support';
import { bench, soon } from './support';

const said: string[] = [];
let b: Bench<ReturnType<typeof useBoard>>;

function callNow(no: number, number: string, window: string, active = true): void {
  const one = call(no, number, window, b.connection.clock.now(), active);
  b.hall.set('board', one.ticket, one);
}

beforeEach(async () => {
  vi.useFakeTimers();
  said.length = 0;
  let last: number | null = null;
  const memory = {
    load: () => last,
    save: (no: number) => {
      last = no;
    },
  };
  const speaker = {
    state: 'on' as const,
    announce: (text: string) => {
      said.push(text);
      return Promise.resolve();
    },
  };
  b = await bench((connection) => useBoard(connection, speaker, memory), 'board');
});

afterEach(() => {
  b.stop();
  vi.useRealTimers();
});

describe('the board', () => {
  it('shows the newest call first and says it once', async () => {
    callNow(1, 'A001', '3');
    await soon();
    callNow(2, 'B001', '5');
    await soon();
    expect(b.made.shown.value.map((one) => one.number)).toEqual(['B001', 'A001']);
    expect(said).toEqual(['请 A零零一号 到 3号窗口', '请 B零零一号 到 5号窗口']);
  });

  it('moves calls that are over, and calls beyond its rows, to those called before', async () => {
    for (let no = 1; no <= ROWS_NOW + 1; no += 1) callNow(no, `A00${no}`, '1');
    callNow(ROWS_NOW, `A00${ROWS_NOW}`, '1', false);
    await soon();
    expect(b.made.shown.value).toHaveLength(ROWS_NOW);
    callNow(ROWS_NOW + 2, 'A009', '1');
    await soon();
    expect(b.made.shown.value.map((one) => one.number)).toEqual(['A009', 'A005', 'A003', 'A002']);
    expect(b.made.before.value.map((one) => one.number)).toEqual(['A004', 'A001']);
  });

  it('keeps its rows during a cut, says that they are old, and announces what it missed', async () => {
    callNow(1, 'A001', '3');
    await soon();
    b.hall.down = true;
    b.hall.drop();
    await soon(5_000);
    expect(b.made.stale.value).toBe(true);
    expect(b.made.age.value).toBeGreaterThanOrEqual(4);
    expect(b.made.shown.value.map((one) => one.number)).toEqual(['A001']);
    callNow(2, 'A002', '3');
    b.hall.down = false;
    await soon(9_000);
    expect(b.made.stale.value).toBe(false);
    expect(said).toEqual(['请 A零零一号 到 3号窗口', '请 A零零二号 到 3号窗口']);
  });

  it('says nothing twice when a delta is lost', async () => {
    callNow(1, 'A001', '3');
    await soon();
    const lost = call(2, 'A002', '4', b.connection.clock.now());
    b.hall.loseDelta('board', lost.ticket, lost);
    callNow(3, 'A003', '5');
    await soon();
    expect(said).toHaveLength(3);
    expect(new Set(said).size).toBe(3);
  });
});
