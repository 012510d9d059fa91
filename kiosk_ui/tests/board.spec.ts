import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BoardSay } from '@qingting/client';
import { boardRow, boardSay } from '../src/dev/sample';
import { useBoard } from '../src/features/board/store';
import type { SoundState } from '../src/features/board/voice';
import type { Bench } from './support';
import { bench, soon } from './support';

const TOPIC = 'board:board-1';
const said: string[] = [];
const told: (readonly string[])[] = [];
let heard: SoundState = 'on';
let b: Bench<ReturnType<typeof useBoard>>;

/** A call on the screen that the board owes; it leaves the list when the board reports it. */
function callNow(no: number, number: string, window: string): void {
  const now = b.connection.clock.now();
  b.hall.set(TOPIC, `row:${number}`, boardRow(no, number, window, now));
  b.hall.set(TOPIC, `say:${number}`, boardSay(no, number, window));
}

beforeEach(async () => {
  vi.useFakeTimers();
  said.length = 0;
  told.length = 0;
  heard = 'on';
  let last: readonly number[] = [];
  const memory = {
    load: () => last,
    save: (numbers: readonly number[]) => {
      last = numbers;
    },
  };
  const speaker = {
    get state() {
      return heard;
    },
    announce: (call: BoardSay) => {
      said.push(call.text);
      return Promise.resolve(true);
    },
  };
  b = await bench((connection, hall) => {
    hall.onRequest('call.announced', (body) => {
      const found = [...hall.entries(TOPIC)].find(
        ([, view]) => view.view === 'board_say' && view.call_no === body.call_no,
      );
      if (found !== undefined) hall.remove(TOPIC, found[0]);
      return {};
    });
    hall.onRequest('device.report', (body) => {
      told.push(body.conditions ?? []);
      return {};
    });
    return useBoard(connection, speaker, memory);
  }, 'board');
});

afterEach(() => {
  b.stop();
  vi.useRealTimers();
});

const shown = (): readonly string[] => (b.made.picture.value?.rows ?? []).map((one) => one.number);

describe('the board', () => {
  it('shows the newest call first, says it once and reports it', async () => {
    callNow(1, 'A001', '3');
    await soon();
    callNow(2, 'B001', '5');
    await soon();
    expect(shown()).toEqual(['B001', 'A001']);
    expect(said).toEqual(['请A001到3号窗口办理', '请B001到5号窗口办理']);
    expect([...b.hall.entries(TOPIC).keys()].filter((key) => key.startsWith('say:'))).toEqual([]);
  });

  it('tells the hall when it cannot be heard, again after a cut, and when it can', async () => {
    await soon(2_000);
    expect(told).toEqual([[]]);
    heard = 'muted';
    await soon(3_000);
    expect(told).toHaveLength(1);
    await soon(4_000);
    expect(told.at(-1)).toEqual(['muted']);
    b.hall.down = true;
    b.hall.drop();
    await soon(3_000);
    b.hall.down = false;
    await soon(9_000);
    expect(told).toEqual([[], ['muted'], ['muted']]);
    heard = 'on';
    await soon(2_000);
    expect(told.at(-1)).toEqual([]);
  });

  it('keeps its rows during a cut, says that they are old, and announces what it missed', async () => {
    callNow(1, 'A001', '3');
    await soon();
    b.hall.down = true;
    b.hall.drop();
    await soon(5_000);
    expect(b.made.stale.value).toBe(true);
    expect(b.made.age.value).toBeGreaterThanOrEqual(4);
    expect(shown()).toEqual(['A001']);
    callNow(2, 'A002', '3');
    b.hall.down = false;
    await soon(9_000);
    expect(b.made.stale.value).toBe(false);
    expect(said).toEqual(['请A001到3号窗口办理', '请A002到3号窗口办理']);
  });

  it('says nothing twice when a delta is lost', async () => {
    callNow(1, 'A001', '3');
    await soon();
    b.hall.loseDelta(TOPIC, 'say:A002', boardSay(2, 'A002', '4'));
    callNow(3, 'A003', '5');
    await soon();
    expect(said).toHaveLength(3);
    expect(new Set(said).size).toBe(3);
  });
});
