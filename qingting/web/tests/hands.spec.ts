import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ActOrder, PageHands } from '../src/index';
import { HallConnection, followHands, memoryIdentity, screenIsOn } from '../src/index';
import { FakeHall } from '../src/fake';

const KIOSK = { device: 'k1', key: 'secret-of-k1' };
const WEEK = [{ days: [1, 2, 3, 4, 5], on: '08:00', off: '17:30' }];

let hall: FakeHall;
let connection: HallConnection;
let end: () => void;

const soon = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const sheet = (): HTMLElement | null => document.querySelector('[data-sheet]');
const told = (): unknown[] =>
  hall.asked.map((one) => one.body).filter((body) => body.type === 'act.told');

async function follow(page: PageHands = {}): Promise<void> {
  connection = new HallConnection({
    identity: memoryIdentity(KIOSK),
    url: 'ws://hall/hub',
    openSocket: hall.openSocket,
  });
  end = followHands(connection, page);
  connection.start();
  await soon();
}

function order(action: ActOrder['action'], act = 'act-1'): void {
  hall.push({ type: 'act', act, device: 'k1', action, answer_by: 0, bundle: null });
}

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-23T01:00:00Z') }); // Monday, 09:00 in the hall
  localStorage.clear();
  hall = new FakeHall().enrol('k1', { key: KIOSK.key, role: 'kiosk', name: '1号取号机' });
  for (const type of ['act.told', 'act.going', 'act.part'] as const) hall.onRequest(type, () => ({}));
});

afterEach(() => {
  end();
  connection.stop();
  vi.useRealTimers();
});

describe('an act', () => {
  it('is carried out once although it comes twice', async () => {
    const volume = vi.fn();
    await follow({ volume });
    order({ do: 'volume.set', percent: 40 });
    order({ do: 'volume.set', percent: 40 });
    await soon();
    expect(volume).toHaveBeenCalledTimes(1);
    expect(told()).toEqual([{ type: 'act.told', act: 'act-1', outcome: 'done', code: '' }]);
  });

  it('that this page cannot do is refused', async () => {
    await follow();
    order({ do: 'print.test' });
    order({ do: 'volume.set', percent: 40 }, 'act-2');
    await soon();
    expect(told()).toMatchObject([
      { outcome: 'refused', code: 'act.not_supported' },
      { outcome: 'refused', code: 'act.not_supported' },
    ]);
  });

  it('never reloads the page or takes a picture before a citizen', async () => {
    const reload = vi.fn();
    const picture = vi.fn();
    await follow({ busy: () => true, reload, picture });
    order({ do: 'browser.restart' });
    order({ do: 'picture.take' }, 'act-2');
    await soon();
    expect(reload).not.toHaveBeenCalled();
    expect(picture).not.toHaveBeenCalled();
    expect(told()).toMatchObject([{ code: 'act.in_use' }, { code: 'act.in_use' }]);
  });

  it('keeps a picture back when a citizen came while it was taken', async () => {
    let here = false;
    await follow({
      busy: () => here,
      picture: () => {
        here = true;
        return Promise.resolve('AAAA');
      },
    });
    order({ do: 'picture.take' });
    await soon();
    expect(hall.count('act.part')).toBe(0);
    expect(told()).toMatchObject([{ outcome: 'refused', code: 'act.in_use' }]);
  });

  it('says that it goes before it loads the page again, and sends a picture in parts', async () => {
    const reload = vi.fn();
    await follow({ reload, picture: () => Promise.resolve('A'.repeat(50_000)) });
    order({ do: 'browser.restart' });
    await soon();
    expect([hall.count('act.going'), reload.mock.calls.length, told().length]).toEqual([1, 1, 0]);
    order({ do: 'picture.take' }, 'act-2');
    await soon();
    expect(hall.count('act.part')).toBe(2);
    expect(told()).toMatchObject([{ act: 'act-2', outcome: 'done' }]);
  });
});

describe('a screen', () => {
  it('grows dim, stays so over a reload, and never takes touches from who uses it', async () => {
    await follow();
    order({ do: 'brightness.set', percent: 50 });
    await soon();
    expect(Number(sheet()?.style.opacity)).toBeCloseTo(0.45);
    expect(sheet()?.style.pointerEvents).toBe('none');
    end();
    expect(sheet()).toBeNull();
    end = followHands(connection);
    expect(sheet()).not.toBeNull();
  });

  it('is dark outside its hours, wakes at a touch, and goes dark again', async () => {
    await follow();
    order({ do: 'screen.plan', hours: WEEK });
    await soon();
    expect(sheet()).toBeNull();
    await soon(8.5 * 3_600_000);
    expect(sheet()?.style.opacity).toBe('1');
    sheet()?.dispatchEvent(new Event('pointerdown'));
    expect(sheet()).toBeNull();
    await soon(70_000);
    expect(sheet()?.style.opacity).toBe('1');
  });

  it.each([
    [1, 479, false],
    [1, 480, true],
    [5, 1049, true],
    [5, 1050, false],
    [6, 600, false],
  ])('follows its plan to the minute: day %i minute %i', (day, minute, on) => {
    expect(screenIsOn(WEEK, null, day, minute)).toBe(on);
    expect(screenIsOn(WEEK, !on, day, minute)).toBe(!on);
  });
});
