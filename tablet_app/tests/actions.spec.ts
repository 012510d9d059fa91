/** What goes beyond the next step: every action once, never twice, and nothing while the line is down. */
import type { HallConnection, Request } from '@qingting/client';
import { HallError } from '@qingting/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Deed } from '../src/call/desk';
import { deskOf, primaryOf, recallWait } from '../src/call/desk';
import { searchItems } from '../src/call/items';
import type { SeatMemory } from '../src/call/seat';
import { memorySeat } from '../src/call/seat';
import type { CallPad } from '../src/call/store';
import { SETTLE_MS, useCallPad } from '../src/call/store';
import { WorkingHall, brief, connectTo, item, mount, soon, visit, windowView } from './support';

const CLERK = { staff: 's1', name: '李静', number: '1023' };
type Case = readonly [Deed, Request, 'idle' | 'serving'];
const TICKET = brief('A024').ticket;
const DEEDS: readonly Case[] = [
  ['park', { type: 'visit.park', reason: '复印', minutes: 15, mine: true }, 'serving'],
  ['transfer', { type: 'visit.transfer', to_window: 'w5', place: 'first', back: true, note: '请核' }, 'serving'],
  ['addItem', { type: 'visit.add_item', item: 'pension' }, 'serving'],
  ['pick', { type: 'call.ticket', ticket: TICKET, reason: '身体不适' }, 'idle'],
  ['back', { type: 'visit.resume', ticket: TICKET }, 'idle'],
  ['requeue', { type: 'ticket.return', ticket: TICKET }, 'idle'],
  ['reclass', { type: 'ticket.priority', ticket: TICKET, priority: 'elderly' }, 'idle'],
  ['make', { type: 'ticket.make', item: 'card' }, 'idle'],
  ['lend', { type: 'window.lend', queues: ['medical'], minutes: 60 }, 'idle'],
  ['move', { type: 'window.take', window: 'w5' }, 'idle'],
];

let hall: WorkingHall;
let connection: HallConnection;
let memory: SeatMemory;
let pad: CallPad;
let end: () => void;

async function arrive(at: 'idle' | 'serving' = 'idle'): Promise<void> {
  if (at === 'serving') hall.show({ visit: visit('A022', 'serving') });
  memory = memorySeat({ at: 'desk', clerk: CLERK, window: 'w3' });
  connection = connectTo(hall, 'pad-1', 'secret-of-pad');
  ({ it: pad, end } = mount(() => useCallPad(connection, memory)));
  connection.start();
  await soon(SETTLE_MS);
}

const sent = (body: Request): readonly (string | null | undefined)[] =>
  hall.asked.filter((ask) => JSON.stringify(ask.body) === JSON.stringify(body)).map((ask) => ask.key);

beforeEach(() => {
  vi.useFakeTimers();
  hall = new WorkingHall();
});

afterEach(() => {
  end();
  connection.stop();
  vi.useRealTimers();
});

describe.each(DEEDS)('%s', (deed, body, at) => {
  it('reaches the hall once with a key, however often it is tapped', async () => {
    await arrive(at);
    const presses = [pad.ask(deed, body), pad.ask(deed, body)];
    await soon();
    const [first, second] = await Promise.all(presses);
    expect(first).not.toBeNull();
    expect(second).toBeNull();
    expect(sent(body)).toEqual([expect.any(String)]);
  });

  it('is not possible while the hall cannot be reached, and nothing goes out afterwards', async () => {
    await arrive(at);
    hall.down = true;
    hall.drop();
    await soon();
    expect(pad.can(deed)).toBe(false);
    expect(await pad.ask(deed, body)).toBeNull();
    hall.down = false;
    await soon(20_000);
    expect(pad.actionable.value).toBe(true);
    expect(sent(body)).toEqual([]);
  });

  it('is done once when the line breaks before its answer', async () => {
    await arrive(at);
    hall.dropAtNextAsk('after');
    const pressed = pad.ask(deed, body);
    await soon(3_000);
    expect(await pressed).not.toBeNull();
    expect(new Set(sent(body)).size).toBe(1);
  });

  it('goes out with the same key when it is pressed again after a silence', async () => {
    await arrive(at);
    const asked = vi.spyOn(connection, 'ask');
    hall.silent = true;
    const pressed = pad.ask(deed, body);
    await soon(16_000);
    expect(await pressed).toBeNull();
    expect(pad.notice.value).toMatchObject({ kind: 'uncertain', what: deed });
    hall.silent = false;
    hall.drop();
    await soon(20_000);
    const again = pad.ask(deed, body);
    await soon();
    expect(await again).not.toBeNull();
    const keys = asked.mock.calls.filter(([one]) => one.type === body.type && JSON.stringify(one) === JSON.stringify(body));
    expect(keys).toHaveLength(2);
    expect(new Set(keys.map(([, options]) => options?.key)).size).toBe(1);
  });

  it('says what was refused until it is tried again', async () => {
    await arrive(at);
    hall.onRequest(body.type, () => {
      throw new HallError('store.unavailable');
    });
    const pressed = pad.ask(deed, body);
    await soon();
    expect(await pressed).toBeNull();
    await soon(60_000);
    expect(pad.notice.value).toMatchObject({ kind: 'refused', problem: { code: 'store.unavailable' } });
  });
});

describe('a change of the password', () => {
  it('carries no key, since a repeat of the former password changes nothing', async () => {
    await arrive();
    const changed = pad.ask('password', { type: 'staff.password', present: 'a', new: 'b' });
    await soon();
    expect(await changed).not.toBeNull();
    expect(hall.asked.find((ask) => ask.body.type === 'staff.password')?.key ?? null).toBeNull();
  });
});

describe('a change of the window', () => {
  it('takes the pad to the new window and remembers it', async () => {
    await arrive();
    void pad.ask('move', { type: 'window.take', window: 'w5' });
    await soon();
    expect(memory.load()).toMatchObject({ at: 'desk', window: 'w5' });
  });
});

describe('the next step', () => {
  it('calls whom the rules choose, not whoever stands first on the screen', async () => {
    await arrive();
    hall.show({ next: brief('A024').ticket, next_reason: 'priority_cap', next_why: { calls: 3 } });
    await soon();
    expect(pad.desk.value).toMatchObject({ at: 'idle', next: { number: 'A024' }, reason: 'priority_cap' });
  });

  it('is nobody while all who wait need another window', () => {
    const desk = deskOf(windowView({ queue: [brief('A023')], waiting: 1, next: null }), 's1');
    expect(primaryOf(desk)).toBeNull();
  });

  it('goes on with the next item where this window serves it', () => {
    const next = { id: 'pension', name: '养老', name_en: 'Pension' };
    const serving = (here: boolean) =>
      deskOf(windowView({ visit: { ...visit('A022', 'serving'), todo: [{ ...next, here }] } }), 's1');
    expect(primaryOf(serving(true))).toBe('stay');
    expect(primaryOf(serving(false))).toBe('finish');
  });

  it('does not recall before the announcement can be over', async () => {
    await arrive();
    hall.show({ visit: { ...visit('A022', 'called'), recall_at: Date.now() + 4_000 } });
    await soon();
    expect(recallWait(pad.desk.value, Date.now())).toBe(4);
    expect(await pad.act('recall')).toBe(false);
    await soon(4_000);
    const again = pad.act('recall');
    await soon();
    expect(await again).toBe(true);
    expect(hall.count('call.recall')).toBe(1);
  });
});

describe('items', () => {
  const items = [
    item('card', '社会保障卡申领', 'shehuibaozhangka', 'shbzk sbk'),
    item('pension', '企业职工退休申请', 'qiyezhigongtuixiu', 'qyzgtx'),
  ];
  it.each([
    ['sbk', ['card']],
    ['tx', ['pension']],
    ['shehui', ['card']],
    ['退休', ['pension']],
    ['', ['card', 'pension']],
    ['zzz', []],
  ])('are found by %s', (text, ids) => {
    expect(searchItems(items, text).map((one) => one.id)).toEqual(ids);
  });
});

describe('a login by the phone', () => {
  async function loggedOut(): Promise<void> {
    memory = memorySeat();
    connection = connectTo(hall, 'pad-1', 'secret-of-pad');
    ({ it: pad, end } = mount(() => useCallPad(connection, memory)));
    connection.start();
    await soon();
  }

  const told = (window: string | null) =>
    hall.push({ type: 'staff.scanned', staff: 's1', staff_name: '李静', number: '1023', window });

  it('seats the clerk at the pad’s window as soon as the hall says so', async () => {
    await loggedOut();
    told('w3');
    await soon();
    expect(memory.load()).toEqual({ at: 'desk', clerk: CLERK, window: 'w3' });
  });

  it('lets the clerk choose a window where the pad has none', async () => {
    await loggedOut();
    told(null);
    await soon();
    expect(pad.seat.value).toEqual({ at: 'choosing', clerk: CLERK, last: null });
  });

  it('offers a code that is asked for anew on each line', async () => {
    const scan = { url: 'http://hall/scan/x', until: Date.now() + 180_000, modules: ['10', '01'] };
    hall.onRequest('staff.scan', () => ({ scan }));
    await loggedOut();
    const offered = pad.offerScan();
    await soon();
    expect(await offered).toEqual(scan);
    hall.down = true;
    hall.drop();
    await soon();
    expect(await pad.offerScan()).toBeNull();
    expect(hall.count('staff.scan')).toBe(1);
  });
});
