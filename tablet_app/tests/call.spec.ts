import type { HallConnection } from '@qingting/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memorySeat } from '../src/call/seat';
import type { Seat, SeatMemory } from '../src/call/seat';
import { SETTLE_MS, useCallPad } from '../src/call/store';
import type { CallPad } from '../src/call/store';
import { WorkingHall, connectTo, mount, soon, windowView } from './support';

const CLERK = { staff: 's1', name: '李静', number: '1023' };
const AT_DESK: Seat = { at: 'desk', clerk: CLERK, window: 'w3' };

let hall: WorkingHall;
let connection: HallConnection;
let memory: SeatMemory;
let pad: CallPad;
let end: () => void;

async function arrive(seat?: Seat): Promise<void> {
  memory = memorySeat(seat);
  connection = connectTo(hall, 'pad-1', 'secret-of-pad');
  ({ it: pad, end } = mount(() => useCallPad(connection, memory)));
  connection.start();
  await soon(SETTLE_MS);
}

async function primary(): Promise<boolean> {
  const pressed = pad.doPrimary();
  await soon(SETTLE_MS);
  return pressed;
}

beforeEach(() => {
  vi.useFakeTimers();
  hall = new WorkingHall();
});

afterEach(() => {
  end();
  connection.stop();
  vi.useRealTimers();
});

describe('a day at the window', () => {
  it('goes from login over the window to calling, beginning and finishing', async () => {
    hall.show({ state: 'closed', staff: null, staff_name: '' });
    await arrive();
    expect(pad.seat.value).toEqual({ at: 'login', kept: null });
    const loggedIn = pad.login('1023', 'right-password');
    await soon();
    expect(await loggedIn).toBe(true);
    expect(pad.seat.value.at).toBe('choosing');
    const chosen = pad.choose('w3');
    await soon(SETTLE_MS);
    expect(await chosen).toBe(true);
    expect(pad.desk.value).toMatchObject({ at: 'idle', waiting: 2, next: { number: 'A023' } });
    await primary();
    expect(pad.desk.value).toMatchObject({ at: 'called', visit: { number: 'A023' } });
    await primary();
    expect(pad.desk.value.at).toBe('serving');
    await primary();
    expect(pad.desk.value).toMatchObject({ at: 'idle', next: { number: 'A024' } });
    expect(memory.load()).toEqual(AT_DESK);
  });

  it('says why a login was refused, and stays', async () => {
    await arrive();
    const refused = pad.login('1023', 'wrong');
    await soon();
    expect(await refused).toBe(false);
    expect(pad.notice.value?.problem).toEqual({ code: 'staff.wrong_password', params: { left: 4 } });
    expect(pad.seat.value.at).toBe('login');
  });

  it('pauses with a reason and resumes with the big button', async () => {
    await arrive(AT_DESK);
    const paused = pad.act('pause', '午间休息');
    await soon(SETTLE_MS);
    expect(await paused).toBe(true);
    expect(pad.desk.value).toEqual({ at: 'paused', reason: '午间休息' });
    await primary();
    expect(pad.desk.value.at).toBe('idle');
  });

  it('does nothing when nobody waits', async () => {
    hall.waiting = [];
    hall.show({});
    await arrive(AT_DESK);
    expect(await primary()).toBe(false);
    expect(hall.count('call.next')).toBe(0);
  });

  it('leaves the window only without a visitor', async () => {
    await arrive(AT_DESK);
    await primary();
    expect(pad.can('leave')).toBe(false);
    expect(await pad.act('leave')).toBe(false);
    expect(hall.count('window.leave')).toBe(0);
  });

  it('says who took the window when it is no longer the clerk’s', async () => {
    await arrive(AT_DESK);
    hall.set('window:w3', 'window', windowView({ staff: 's9', staff_name: '赵强' }));
    await soon();
    expect(pad.desk.value).toEqual({ at: 'taken', by: '赵强' });
    expect(pad.can('next')).toBe(false);
  });
});

describe('pressing twice', () => {
  it('calls once while the first press is under way', async () => {
    await arrive(AT_DESK);
    const presses = [pad.doPrimary(), pad.doPrimary()];
    await soon();
    expect(await Promise.all(presses)).toEqual([true, false]);
    expect(hall.count('call.next')).toBe(1);
  });

  it('does not begin by the second tap of a double tap that meant to call', async () => {
    await arrive(AT_DESK);
    const first = pad.doPrimary();
    await soon(SETTLE_MS / 2);
    expect(await first).toBe(true);
    expect(await pad.doPrimary()).toBe(false);
    expect(hall.count('service.begin')).toBe(0);
    await soon(SETTLE_MS);
    expect(await primary()).toBe(true);
    expect(hall.count('service.begin')).toBe(1);
  });
});

describe('a broken line', () => {
  it('calls one visitor when the line breaks after the call and before its answer', async () => {
    await arrive(AT_DESK);
    hall.dropAtNextAsk('after');
    const pressed = pad.doPrimary();
    await soon(2_000);
    expect(await pressed).toBe(true);
    expect(pad.desk.value).toMatchObject({ at: 'called', visit: { number: 'A023' } });
    const keys = hall.asked.filter((ask) => ask.body.type === 'call.next').map((ask) => ask.key);
    expect(new Set(keys).size).toBe(1);
    expect(hall.waiting).toEqual(['A024']);
  });

  it('can do nothing while the hall cannot be reached, and sends nothing afterwards', async () => {
    await arrive(AT_DESK);
    hall.down = true;
    hall.drop();
    await soon();
    expect(pad.actionable.value).toBe(false);
    expect(pad.desk.value.at).toBe('idle');
    expect(await pad.doPrimary()).toBe(false);
    hall.down = false;
    await soon(20_000);
    expect(pad.actionable.value).toBe(true);
    expect(hall.count('call.next')).toBe(0);
  });

  it('presses again with the same key after a silence without an answer', async () => {
    await arrive(AT_DESK);
    const asked = vi.spyOn(connection, 'ask');
    hall.silent = true;
    const pressed = pad.doPrimary();
    await soon(16_000);
    expect(await pressed).toBe(false);
    expect(pad.notice.value).toMatchObject({ kind: 'uncertain', what: 'next' });
    hall.silent = false;
    hall.drop();
    await soon(20_000);
    expect(await primary()).toBe(true);
    const keys = asked.mock.calls.filter(([body]) => body.type === 'call.next').map(([, options]) => options?.key);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    expect(pad.desk.value.at).toBe('called');
  });
});

describe('a restarted hall server', () => {
  it('asks for the login again at once, and keeps clerk, window and visitor', async () => {
    await arrive(AT_DESK);
    await primary();
    hall.restart();
    await soon(5_000);
    expect(pad.seat.value).toEqual({ at: 'login', kept: { clerk: CLERK, window: 'w3' } });
    expect(pad.windowNumber.value).toBe('3');
    const again = pad.login('1023', 'right-password');
    await soon(SETTLE_MS);
    expect(await again).toBe(true);
    expect(pad.seat.value).toEqual(AT_DESK);
    expect(pad.desk.value).toMatchObject({ at: 'called', visit: { number: 'A023' } });
    expect(await primary()).toBe(true);
    expect(pad.desk.value.at).toBe('serving');
  });

  it('does not promise a window that was closed in the meantime', async () => {
    await arrive(AT_DESK);
    hall.restart();
    await soon(5_000);
    hall.show({ state: 'closed', staff: null, staff_name: '' });
    await soon();
    expect(pad.windowNumber.value).toBeNull();
  });

  it('goes on without a login when the hall still knows the clerk', async () => {
    await arrive(AT_DESK);
    hall.drop();
    await soon(5_000);
    expect(pad.seat.value).toEqual(AT_DESK);
    expect(await primary()).toBe(true);
    expect(hall.count('call.next')).toBe(1);
  });

  it('does not resume a paused window by itself', async () => {
    await arrive(AT_DESK);
    void pad.act('pause', '午间休息');
    await soon(SETTLE_MS);
    const taken = hall.count('window.take');
    hall.restart();
    await soon(5_000);
    expect(pad.desk.value.at).toBe('paused');
    expect(hall.count('window.take')).toBe(taken);
    await primary();
    expect(pad.seat.value.at).toBe('login');
  });
});

describe('people who need help', () => {
  it('shows who waits longest first and tells the hall when somebody went there', async () => {
    hall.set('help', 'k2', { view: 'help', device: 'k2', name: '2号取号机', since: Date.now() - 1_000 });
    hall.set('help', 'k1', { view: 'help', device: 'k1', name: '1号取号机', since: Date.now() - 9_000 });
    hall.onRequest('help.done', (body) => {
      hall.remove('help', body.device);
      return undefined;
    });
    await arrive(AT_DESK);
    expect(pad.helps.value.map((help) => help.device)).toEqual(['k1', 'k2']);
    void pad.helpDone('k1');
    await soon();
    expect(pad.helps.value.map((help) => help.device)).toEqual(['k2']);
  });
});
