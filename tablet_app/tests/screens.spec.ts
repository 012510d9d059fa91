import type { HallConnection, WindowView } from '@qingting/client';
import { CONNECTION } from '@qingting/client/vue';
import { FakeHall } from '@qingting/client/fake';
import type { VueWrapper } from '@vue/test-utils';
import { flushPromises, mount as render } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Component } from 'vue';
import CallApp from '../src/call/CallApp.vue';
import { SETTLE_MS } from '../src/call/store';
import RateApp from '../src/rate/RateApp.vue';
import { LEVELS } from '../src/rate/store';
import { makeI18n } from '../src/shared/i18n';
import { WorkingHall, connectTo, padView, ratingRequest, soon, visit } from './support';

let connection: HallConnection;
let page: VueWrapper;

async function show(app: Component): Promise<void> {
  page = render(app, { global: { plugins: [makeI18n()], provide: { [CONNECTION]: connection } }, attachTo: document.body });
  connection.start();
  await soon(SETTLE_MS);
  await flushPromises();
}

function sitAtDesk(): void {
  const clerk = { staff: 's1', name: '李静', number: '1023' };
  localStorage.setItem('qingting.tablet.seat', JSON.stringify({ at: 'desk', clerk, window: 'w3' }));
}

const primary = () => page.get('[data-test=primary]');
const isOff = (selector: string): boolean => page.get(selector).attributes('disabled') !== undefined;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
});

afterEach(() => {
  page.unmount();
  connection.stop();
  vi.useRealTimers();
});

describe('a first login', () => {
  it('asks for a password of one\'s own, keeps what was typed when refused, then goes on', async () => {
    const hall = new WorkingHall();
    hall.show({ state: 'closed', staff: null, staff_name: '' });
    connection = connectTo(hall, 'pad-1', 'secret-of-pad');
    await show(CallApp);
    const send = async (): Promise<void> => {
      await page.get('form').trigger('submit');
      await soon(SETTLE_MS);
      await flushPromises();
    };
    /** Inputs marked as faulty; each must be described by a sentence on the page. */
    const faulty = (): (string | undefined)[] =>
      page.findAll('[aria-invalid=true]').map((one) => {
        expect(page.get(`#${one.attributes('aria-describedby') ?? ''}`).text()).not.toBe('');
        return one.attributes('name');
      });
    await page.get('[name=number]').setValue('1023');
    await page.get('[name=password]').setValue('wrong');
    await send();
    expect(faulty()).toEqual(['number', 'password']);
    await page.get('[name=password]').setValue('once-only');
    await send();
    expect(page.find('[data-test=fresh-password]').exists()).toBe(true);
    await page.get('[name=fresh]').setValue('short');
    await page.get('[name=again]').setValue('shirt');
    expect(page.get('[role=alert].login__fault').text()).toContain('两次输入的新密码不一样');
    expect(faulty()).toEqual(['again']);
    await page.get('[name=again]').setValue('short');
    await send();
    expect(page.get('[role=alert].login__fault').text()).toContain('至少 10 位');
    expect(faulty()).toEqual(['fresh']);
    expect((page.get('[name=fresh]').element as HTMLInputElement).value).toBe('short');
    await page.get('[name=fresh]').setValue('Pond-2026-lotus');
    await page.get('[name=again]').setValue('Pond-2026-lotus');
    await send();
    expect(page.find('[data-test=fresh-password]').exists()).toBe(false);
    expect(page.text()).toContain('您在哪个窗口');
  });
});

describe('the call pad', () => {
  let hall: WorkingHall;

  beforeEach(() => {
    hall = new WorkingHall();
    connection = connectTo(hall, 'pad-1', 'secret-of-pad');
    sitAtDesk();
  });

  const STEPS: readonly (readonly [string, Partial<WindowView>, string])[] = [
    ['a closed window', { state: 'closed', staff: null }, '开始服务'],
    ['a paused window', { state: 'paused' }, '恢复服务'],
    ['somebody waiting', {}, '呼叫 A023'],
    ['a called visitor', { visit: visit('A022', 'called') }, '开始办理 A022'],
    ['a visitor being served', { visit: visit('A022', 'serving') }, '办结 A022'],
  ];

  it.each(STEPS)('says on its one big button what is next with %s', async (_, change, label) => {
    hall.show(change);
    await show(CallApp);
    expect(primary().text()).toContain(label);
    expect(isOff('[data-test=primary]')).toBe(false);
  });

  it('disables everything and says how old the data is while the hall cannot be reached', async () => {
    hall.show({ visit: visit('A022', 'called') });
    await show(CallApp);
    hall.down = true;
    hall.drop();
    await soon(3_000);
    for (const name of ['primary', 'recall', 'no-show']) expect(isOff(`[data-test=${name}]`), name).toBe(true);
    expect(page.text()).toContain('正在自动重连');
    expect(page.text()).toMatch(/下面是 \d+ 秒前的数据/);
    expect(page.text()).toContain('A022');
  });

  it('marks nobody as absent by one tap: it asks, elsewhere', async () => {
    hall.show({ visit: visit('A022', 'called') });
    await show(CallApp);
    await page.get('[data-test=no-show]').trigger('click');
    await soon();
    expect(hall.count('call.no_show')).toBe(0);
    await page.get('[data-test=confirm-no-show]').trigger('click');
    await soon();
    expect(hall.count('call.no_show')).toBe(1);
  });

  it('marks as absent after a held second, and not after a shorter touch', async () => {
    hall.show({ visit: visit('A022', 'called') });
    await show(CallApp);
    const button = page.get('[data-test=no-show]');
    await button.trigger('pointerdown');
    await soon(700);
    await button.trigger('pointerup');
    await soon(1_000);
    expect(hall.count('call.no_show')).toBe(0);
    await button.trigger('pointerdown');
    await soon(1_100);
    expect(hall.count('call.no_show')).toBe(1);
  });

  it('calls, begins and finishes with the space bar alone', async () => {
    await show(CallApp);
    for (const type of ['call.next', 'service.begin', 'service.finish'] as const) {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: ' ', bubbles: true }));
      await soon(SETTLE_MS + 50);
      expect(hall.count(type), type).toBe(1);
    }
  });

  it('says in the catalogue’s words why something was refused', async () => {
    await show(CallApp);
    hall.waiting = [];
    await primary().trigger('click');
    await soon();
    expect(page.get('[role=alert]').text()).toContain('现在没有人等候本窗口');
  });

  it('shows its pairing screen to a hall that does not know it', async () => {
    hall.devices.clear();
    await show(CallApp);
    expect(page.find('[data-key="1"]').exists()).toBe(true);
  });
});

describe('the rating pad', () => {
  let hall: FakeHall;

  beforeEach(() => {
    hall = new FakeHall().enrol('rate-3', { key: 'secret', role: 'rating_pad', name: '评价平板', window: 'w3' });
    hall.now = Date.now();
    connection = connectTo(hall, 'rate-3', 'secret');
  });

  it('offers five levels alike, none of them chosen', async () => {
    hall.set('rating:w3', 'pad', padView(ratingRequest('A023')));
    await show(RateApp);
    const faces = LEVELS.map((level) => page.get(`[data-test=level-${level}]`));
    expect(new Set(faces.map((face) => face.classes().join(' '))).size).toBe(1);
    for (const face of faces) {
      expect(face.attributes()).not.toHaveProperty('aria-pressed');
      expect(face.attributes()).not.toHaveProperty('autofocus');
    }
    expect(page.get('[data-test=skip]').text()).toBe('不评价');
  });

  it('shows who serves at which window, and whom', async () => {
    hall.set('rating:w3', 'pad', { ...padView(null), serving_number: 'A023' });
    await show(RateApp);
    for (const words of ['李静', '工号 1023', '3', '正在服务', 'A023']) expect(page.text()).toContain(words);
  });

  it('counts down quietly at the end, and a touch stops it', async () => {
    hall.set('rating:w3', 'pad', padView(ratingRequest('A023')));
    await show(RateApp);
    expect(page.text()).not.toContain('秒后返回');
    await soon(50_000);
    expect(page.text()).toContain('秒后返回，不会记录评价');
    await page.get('.pad').trigger('pointerdown');
    await soon(300);
    expect(page.text()).not.toContain('秒后返回');
  });

  it('starts for the next citizen in Chinese and ordinary type', async () => {
    hall.onRequest('rating.decline', () => {
      hall.set('rating:w3', 'pad', padView(null));
      return undefined;
    });
    hall.set('rating:w3', 'pad', padView(ratingRequest('A023')));
    await show(RateApp);
    await page.get('[data-test=language]').trigger('click');
    await page.get('[data-test=elder]').trigger('click');
    expect(page.text()).toContain('How was the service today?');
    expect(document.documentElement.dataset['theme']).toBe('elder');
    await page.get('[data-test=skip]').trigger('click');
    await soon(6_000);
    expect(page.text()).toContain('为您服务');
    expect(document.documentElement.dataset['theme']).toBe('');
  });

  it('says plainly when it has no window yet', async () => {
    hall.devices.set('rate-3', { key: 'secret', role: 'rating_pad', name: '评价平板' });
    await show(RateApp);
    expect(page.text()).toContain('还没有对应的窗口');
  });
});
