import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionState, HallView } from '../src/index';
import { HallConnection, HallError, memoryIdentity, newKey } from '../src/index';
import { FakeHall } from '../src/fake';

const KIOSK = { device: 'k1', key: 'secret-of-k1' };

let hall: FakeHall;
let connection: HallConnection;

function connect(identity = memoryIdentity(KIOSK)): HallConnection {
  connection = new HallConnection({
    identity,
    url: 'ws://hall/hub',
    openSocket: hall.openSocket,
    random: () => 0.5,
  });
  return connection;
}

function states(): ConnectionState[] {
  const seen: ConnectionState[] = [];
  connection.onStatus((status) => seen.push(status.state));
  return seen;
}

const soon = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function hallView(notice: string): HallView {
  return { view: 'hall', id: 'h', name: '萨尔图区政务服务大厅', name_en: 'Hall', day: '2026-11-23', notice, notice_en: '', city_link: true };
}

beforeEach(() => {
  vi.useFakeTimers();
  hall = new FakeHall().enrol('k1', { key: KIOSK.key, role: 'kiosk', name: '1号取号机' }, '48291307');
});

afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

describe('authentication', () => {
  it('goes connecting → auth → ready with the stored identity', async () => {
    connect();
    const seen = states();
    connection.start();
    await soon();
    expect(seen).toEqual(['connecting', 'auth', 'ready']);
    expect(connection.status.welcome?.name).toBe('1号取号机');
  });

  it('stores the token of each welcome and brings it along the next time', async () => {
    const identity = memoryIdentity(KIOSK);
    connect(identity).start();
    await soon();
    const first = identity.load()?.token ?? '';
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    hall.drop();
    await soon(5_000);
    expect(connection.status.state).toBe('ready');
    expect(identity.load()?.token).not.toBe(first);
    expect(identity.load()).toMatchObject(KIOSK);
  });

  it('waits for pairing when it has no identity, and connects once paired', async () => {
    const identity = memoryIdentity();
    connect(identity).start();
    expect(connection.status.state).toBe('unpaired');
    const paired = connection.pair('48291307', 'kiosk');
    await soon();
    await paired;
    expect(identity.load()).toMatchObject(KIOSK);
    expect(identity.load()?.install).toMatch(/^[0-9a-f]{32}$/);
    await soon();
    expect(connection.status.state).toBe('ready');
  });

  it('says that a pairing code was wrong and keeps waiting', async () => {
    connect(memoryIdentity()).start();
    const refused = expect(connection.pair('00000000', 'kiosk')).rejects.toMatchObject({
      code: 'hub.pairing_code_wrong',
    });
    await soon();
    await refused;
    expect(connection.status).toMatchObject({ state: 'unpaired', problem: { code: 'hub.pairing_code_wrong' } });
  });

  it('asks for pairing when the hall no longer knows its key, and does not hammer', async () => {
    hall.devices.delete('k1');
    connect().start();
    await soon(60_000);
    expect(connection.status).toMatchObject({ state: 'unpaired', problem: { code: 'hub.not_authenticated' } });
  });

  it('comes back to have a copy of its storage found out, and keeps quiet when it was another tab', async () => {
    const identity = memoryIdentity(KIOSK);
    connect(identity).start();
    await soon();
    hall.push({ type: 'bye', problem: { code: 'hub.replaced', params: {} }, retry: false });
    await soon(14_000);
    expect(connection.status).toMatchObject({ state: 'stopped', problem: { code: 'hub.replaced' } });
    await soon(2_000);
    expect(connection.status.state).toBe('ready');
    hall.push({ type: 'bye', problem: { code: 'hub.replaced', params: {} }, retry: false });
    identity.save({ ...KIOSK, token: 'of another tab' });
    await soon(60_000);
    expect(connection.status).toMatchObject({ state: 'stopped', problem: { code: 'hub.replaced' } });
    connection.start();
    await soon();
    expect(connection.status.state).toBe('ready');
  });
});

describe('recovery', () => {
  it('comes back by itself after a drop and authenticates again', async () => {
    connect().start();
    await soon();
    const seen = states();
    hall.drop();
    expect(seen).toEqual(['lost']);
    await soon(400);
    expect(seen).toEqual(['lost', 'connecting', 'auth', 'ready']);
  });

  it('waits longer after each failure, never more than 8 s', async () => {
    hall.down = true;
    connect();
    let tries = 0;
    connection.onStatus(({ state }) => {
      if (state === 'connecting') tries += 1;
    });
    connection.start();
    await soon(10_000);
    const early = tries;
    expect(early).toBeGreaterThanOrEqual(5);
    await soon(80_000);
    expect(tries - early).toBeGreaterThanOrEqual(10);
    expect(tries - early).toBeLessThan(16);
    hall.down = false;
    await soon(8_000);
    expect(connection.status.state).toBe('ready');
  });

  it('notices within 12 s that a silent line is dead', async () => {
    connect().start();
    await soon();
    hall.silent = true;
    await soon(11_000);
    expect(connection.status.state).toBe('ready');
    await soon(2_000);
    expect(connection.status.state).not.toBe('ready');
    hall.silent = false;
    await soon(16_000);
    expect(connection.status.state).toBe('ready');
  });

  it('pings every 5 s so that the age of data stays honest', async () => {
    connect().start();
    await soon(21_000);
    expect(hall.count('ping')).toBe(4);
    expect(connection.clock.now() - connection.lastHeard).toBeLessThan(5_000);
  });

  it('keeps the server’s time whatever the device’s clock does', async () => {
    hall.now = Date.UTC(2026, 10, 23, 6, 0);
    connect().start();
    await soon();
    vi.setSystemTime(0);
    await soon(2_000);
    expect(connection.clock.now()).toBeCloseTo(Date.UTC(2026, 10, 23, 6, 0, 2), -2);
  });
});

describe('asks', () => {
  it('rejects with the hall’s code and parameters', async () => {
    hall.onRequest('ticket.take', () => {
      throw new HallError('ticket.queue_closed', { queue: '户籍', reason: '停电' });
    });
    connect().start();
    await soon();
    const refused = expect(connection.ask({ type: 'ticket.take', item: 'i1' }, { key: newKey() })).rejects.toMatchObject({
      code: 'ticket.queue_closed',
      params: { queue: '户籍', reason: '停电' },
      retryable: false,
    });
    await soon();
    await refused;
  });

  it.each(['before', 'after'] as const)('takes one ticket when the line drops %s it was taken', async (when) => {
    let taken = 0;
    hall.onRequest('ticket.take', () => ({ ticket: `t${(taken += 1)}`, number: 'A001' }));
    connect().start();
    await soon();
    hall.dropAtNextAsk(when);
    const answer = connection.ask({ type: 'ticket.take', item: 'i1' }, { key: 'press-0001' });
    await soon(1_000);
    expect(await answer).toMatchObject({ ticket: 't1', number: 'A001' });
    expect(taken).toBe(1);
    expect(hall.asked.filter((ask) => ask.key === 'press-0001')).toHaveLength(2);
  });

  it('rejects an ask without a key as retryable when the line drops', async () => {
    connect().start();
    await soon();
    const lost = expect(connection.ask({ type: 'identity.begin' })).rejects.toMatchObject({
      code: 'hub.connection_lost',
      retryable: true,
    });
    hall.drop();
    await lost;
  });

  it('gives up at the deadline and never sends the ask afterwards', async () => {
    connect().start();
    await soon();
    hall.down = true;
    hall.drop();
    const late = expect(
      connection.ask({ type: 'ticket.take', item: 'i1' }, { key: newKey(), deadlineMs: 3_000 }),
    ).rejects.toMatchObject({ code: 'hub.no_answer', retryable: true });
    await soon(3_100);
    await late;
    hall.down = false;
    await soon(10_000);
    expect(connection.status.state).toBe('ready');
    expect(hall.count('ticket.take')).toBe(0);
  });
});

describe('topics', () => {
  it('follows a snapshot and its deltas', async () => {
    hall.set('hall', 'info', hallView('早'));
    connect().start();
    const store = connection.topic('hall');
    expect(store.loaded).toBe(false);
    store.subscribe(() => undefined);
    await soon();
    expect(store.entries.get('info')).toMatchObject({ notice: '早' });
    hall.set('hall', 'info', hallView('午'));
    await soon();
    expect(store.entries.get('info')).toMatchObject({ notice: '午' });
    hall.remove('hall', 'info');
    await soon();
    expect(store.entries.size).toBe(0);
  });

  it('asks again when a delta is missing', async () => {
    hall.set('hall', 'info', hallView('一'));
    connect().start();
    const store = connection.topic('hall');
    store.subscribe(() => undefined);
    await soon();
    hall.loseDelta('hall', 'lost', hallView('二'));
    hall.set('hall', 'info', hallView('三'));
    await soon();
    expect(hall.count('sub')).toBe(2);
    expect([...store.entries.keys()]).toEqual(['info', 'lost']);
    expect(store.live).toBe(true);
  });

  it('ignores a delta that comes twice', async () => {
    hall.set('hall', 'info', hallView('一'));
    connect().start();
    const store = connection.topic('hall');
    store.subscribe(() => undefined);
    await soon();
    const changed = vi.fn();
    store.subscribe(changed);
    hall.repeatLast('hall');
    await soon();
    expect(changed).not.toHaveBeenCalled();
    expect(hall.count('sub')).toBe(1);
  });

  it('keeps what it knew during a drop, marked as old, and catches up afterwards', async () => {
    hall.set('hall', 'info', hallView('一'));
    connect().start();
    const store = connection.topic('hall');
    store.subscribe(() => undefined);
    await soon();
    hall.down = true;
    hall.drop();
    hall.set('hall', 'info', hallView('二'));
    expect(store.live).toBe(false);
    expect(store.entries.get('info')).toMatchObject({ notice: '一' });
    hall.down = false;
    await soon(9_000);
    expect(store.live).toBe(true);
    expect(store.entries.get('info')).toMatchObject({ notice: '二' });
  });

  it('is not asked for again once nobody needs it', async () => {
    connect().start();
    const leave = connection.topic('hall').subscribe(() => undefined);
    await soon();
    leave();
    hall.drop();
    await soon(1_000);
    expect(connection.status.state).toBe('ready');
    expect(hall.count('sub')).toBe(1);
  });
});
