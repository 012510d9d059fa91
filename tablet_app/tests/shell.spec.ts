import { HallConnection, memoryIdentity } from '@qingting/client';
import { FakeHall } from '@qingting/client/fake';
import { flushPromises, mount } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAtRest } from '../src/call/desk';
import { keepContact, lastContact } from '../src/shared/contact';
import { EVERY_MS, PadDevice, reportDevice } from '../src/shared/device';
import SoundHint from '../src/shared/SoundHint.vue';
import { CHIME } from '../src/shared/gear';
import { makeI18n } from '../src/shared/i18n';
import type { Moment } from '../src/shared/renewal';
import { QUIET_MS, renewalOf } from '../src/shared/renewal';
import { Chime } from '../src/shared/sound';

const OLD: Moment = {
  served: 'b2',
  running: 'b1',
  waiting: false,
  tried: '',
  idle: true,
  quietMs: QUIET_MS,
};

describe('a new program', () => {
  it('is taken only when nobody needs the pad, whatever else is true', () => {
    for (const waiting of [true, false]) {
      expect(renewalOf({ ...OLD, waiting, idle: false })).toBe('nothing');
      expect(renewalOf({ ...OLD, waiting, quietMs: QUIET_MS - 1 })).toBe('nothing');
    }
  });

  it('is taken from the device when it lies there, else loaded once from the hall', () => {
    expect(renewalOf({ ...OLD, waiting: true })).toBe('take');
    expect(renewalOf(OLD)).toBe('load');
    expect(renewalOf({ ...OLD, tried: 'b2' })).toBe('nothing');
    expect(renewalOf({ ...OLD, tried: 'b2', served: 'b3' })).toBe('load');
  });

  it('is none when the hall serves what runs, or does not say', () => {
    expect(renewalOf({ ...OLD, served: 'b1' })).toBe('nothing');
    expect(renewalOf({ ...OLD, served: '' })).toBe('nothing');
  });

  it('waits while somebody is called or served, and while nobody knows', () => {
    const visit = {} as never;
    expect(isAtRest({ at: 'called', visit })).toBe(false);
    expect(isAtRest({ at: 'serving', visit })).toBe(false);
    expect(isAtRest({ at: 'loading' })).toBe(false);
    expect(isAtRest({ at: 'closed' })).toBe(true);
  });
});

class QuietAudio extends EventTarget {
  state = 'suspended';

  resume(): Promise<void> {
    this.state = 'running';
    this.dispatchEvent(new Event('statechange'));
    return Promise.resolve();
  }
}

describe('the tones', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('ask for one touch while the browser is silent, and for none where it cannot sound', async () => {
    vi.stubGlobal('AudioContext', QuietAudio);
    const chime = new Chime();
    chime.start();
    const hint = mount(SoundHint, { global: { plugins: [makeI18n()], provide: { [CHIME as symbol]: chime } } });
    expect(hint.text()).toBe('轻触屏幕任意处，打开提示音');
    dispatchEvent(new Event('pointerdown'));
    await flushPromises();
    expect(hint.text()).toBe('');
    expect(chime.ready).toBe(true);
    vi.stubGlobal('AudioContext', undefined);
    expect(new Chime().ready).toBeNull();
  });
});

interface Battery extends EventTarget {
  level: number;
  charging: boolean;
}

describe('what a pad reports', () => {
  let hall: FakeHall;
  let connection: HallConnection;
  const reports: Record<string, unknown>[] = [];
  const gear = { awake: () => null, sound: () => false };

  beforeEach(() => {
    vi.useFakeTimers();
    reports.length = 0;
    hall = new FakeHall().enrol('pad1', { key: 'secret-of-pad1', role: 'call_pad', name: '1号' });
    hall.onRequest('pad.report', (body) => {
      reports.push({ ...body.facts });
      return {};
    });
    connection = new HallConnection({
      identity: memoryIdentity({ device: 'pad1', key: 'secret-of-pad1' }),
      openSocket: hall.openSocket,
    });
  });
  afterEach(() => {
    connection.stop();
    vi.useRealTimers();
    localStorage.clear();
  });

  it('leaves out what the browser does not tell', async () => {
    reportDevice(connection, new PadDevice({} as Navigator), gear);
    connection.start();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ battery: null, charging: null, network: '', awake: null, sound: false });
  });

  it('says a pulled plug soon and everything once a minute, and no more', async () => {
    const battery = Object.assign(new EventTarget(), { level: 0.756, charging: true }) as Battery;
    const tablet = { getBattery: () => Promise.resolve(battery), connection: Object.assign(new EventTarget(), { type: 'wifi' }) };
    reportDevice(connection, new PadDevice(tablet as unknown as Navigator), gear);
    connection.start();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(reports.at(-1)).toMatchObject({ battery: 76, charging: true, network: 'wifi' });
    battery.charging = false;
    for (let flicker = 0; flicker < 20; flicker += 1) battery.dispatchEvent(new Event('chargingchange'));
    const before = reports.length;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reports).toHaveLength(before + 1);
    expect(reports.at(-1)).toMatchObject({ charging: false });
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
    expect(reports.length).toBeLessThanOrEqual(before + 12);
    expect(reports.at(-1)?.['rtt']).toBeTypeOf('number');
  });

  it('remembers when the hall was last heard, for a pad that starts alone', async () => {
    expect(lastContact()).toBeNull();
    keepContact(connection);
    connection.start();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lastContact()).toBeLessThanOrEqual(Date.now());
    const heard = lastContact();
    hall.down = true;
    hall.drop();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(lastContact()).toBeGreaterThanOrEqual(heard ?? 0);
    expect(Date.now() - (lastContact() ?? 0)).toBeGreaterThan(60_000);
  });
});
