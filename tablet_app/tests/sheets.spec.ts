/** The call pad's sheets as a clerk sees them. */
import type { HallConnection, WindowView } from '@qingting/client';
import { HallError } from '@qingting/client';
import { CONNECTION } from '@qingting/client/vue';
import type { VueWrapper } from '@vue/test-utils';
import { flushPromises, mount as render } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import CallApp from '../src/call/CallApp.vue';
import { SETTLE_MS } from '../src/call/store';
import { makeI18n } from '../src/shared/i18n';
import { WorkingHall, brief, connectTo, item, soon, visit } from './support';

let hall: WorkingHall;
let connection: HallConnection;
let page: VueWrapper;

async function show(change: Partial<WindowView> = {}): Promise<void> {
  hall.show(change);
  page = render(CallApp, { global: { plugins: [makeI18n()], provide: { [CONNECTION]: connection } }, attachTo: document.body });
  connection.start();
  await soon(SETTLE_MS);
  await flushPromises();
}

async function tap(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await page.get(`[data-test=${name}]`).trigger('click');
    await soon();
  }
}

const isOff = (name: string): boolean => page.get(`[data-test=${name}]`).attributes('disabled') !== undefined;
const lastBody = (type: string) => hall.asked.findLast((ask) => ask.body.type === type)?.body;
const serving = { visit: visit('A022', 'serving') };

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  const clerk = { staff: 's1', name: '李静', number: '1023' };
  localStorage.setItem('qingting.tablet.seat', JSON.stringify({ at: 'desk', clerk, window: 'w3' }));
  hall = new WorkingHall();
  connection = connectTo(hall, 'pad-1', 'secret-of-pad');
  const classes = ['ordinary', 'booked', 'elderly'].map((id) => ({ id, name: id, name_en: id, proof: '', proof_en: '' }));
  hall.set('catalogue', 'classes', { view: 'classes', classes, every: classes });
  const items = [item('card', '社会保障卡申领', '', 'sbk', true), item('advice', '咨询', '', 'zx')];
  hall.set('catalogue', 'items', { view: 'items', items });
  const one = { id: 'medical', name: '医保', name_en: 'Medical', waiting: 4, windows_open: 1, closed: false, wait: null, items: {} };
  hall.set('queues', 'medical', { view: 'queue', ...one });
});

afterEach(() => {
  page.unmount();
  connection.stop();
  vi.useRealTimers();
});

describe('a call', () => {
  const REASONS: readonly (readonly [string, Record<string, string | number>, string])[] = [
    ['sent', { minutes: 3 }, '转到本窗口的，等了 3 分钟'],
    ['returned', { minutes: 3 }, '回来继续办理'],
    ['max_delay', { minutes: 91 }, '等候已到上限（91 分钟），先办'],
    ['condition', { name: '午前先叫预约' }, '按规则「午前先叫预约」先叫'],
    ['priority_cap', { calls: 3 }, '已连续叫了 3 位优先，轮到普通'],
    ['ratio', { a: 2, b: 1 }, '两类轮流，2 比 1'],
    ['appointment', { time: '10:30' }, '预约在 10:30，按时到了'],
    ['priority', { class: '老年人', class_en: 'Elderly', minutes: 4 }, '老年人优先，等了 4 分钟'],
    ['preferred_queue', { minutes: 8 }, '本窗口优先的队列'],
    ['only_one', { minutes: 2 }, '只有这一位在等'],
    ['longest_waiting', { minutes: 19 }, '等候时间最长：19 分钟'],
    ['picked', { text: '身体不适' }, '点呼：身体不适'],
    ['resumed', {}, '暂离或过号后回到窗口'],
    ['chain', {}, '同一号票的下一项'],
    ['of_a_newer_hall', {}, '按大厅叫号规则'],
  ];
  it.each(REASONS)('for %s is explained in one line', async (reason, why, words) => {
    await show({ visit: { ...visit('A022', 'called'), reason, why } });
    expect(page.get('[data-test=why]').text()).toContain(words);
  });

  it('shows class, proof, booking, party, note, way back, items to come and why without identity', async () => {
    await show({
      visit: {
        ...visit('A022', 'serving'),
        priority: 'elderly',
        priority_name: '老年人',
        proof: '身份证',
        proof_en: 'ID card',
        booked: Date.now(),
        late: true,
        party: 3,
        note: '差一份复印件',
        back_to: '5',
        waiver: '忘带证件',
        misses: 1,
        todo: [{ id: 'advice', name: '咨询', name_en: 'Advice', here: true }],
      },
    });
    for (const words of ['老年人', '请看：身份证', '预约 ', '迟到', '3 人同行', '差一份复印件', '办完请回 5 号窗口', '忘带证件', '过号 1 次', '办结并继续', 'A022 接着办：咨询']) {
      expect(page.text(), words).toContain(words);
    }
    await tap('primary');
    expect(lastBody('service.finish')).toEqual({ type: 'service.finish', stay: true });
  });

  it('reads papers, proof, department and the usual reasons in English', async () => {
    localStorage.setItem('qingting.tablet.call.language', 'en');
    await show({
      visit: { ...visit('A022', 'serving'), proof: '身份证', proof_en: 'ID card', waiver: '忘带证件' },
      away: [{ ...brief('A020'), reason: '去缴费' }],
    });
    await page.get('#tab-away').trigger('click');
    await soon();
    for (const words of ['Pay a fee', 'Recent one-inch photograph', 'ID card', 'Human Resources Bureau', 'Forgot the card']) {
      expect(page.text(), words).toContain(words);
    }
    expect(page.get('.visit__papers ul').attributes('lang')).toBe('en');
  });

  it('marks papers that nobody has translated as Chinese', async () => {
    localStorage.setItem('qingting.tablet.call.language', 'en');
    await show({ visit: { ...visit('A022', 'serving'), materials_en: [] } });
    expect(page.text()).toContain('Papers to check');
    expect(page.get('.visit__papers ul').attributes('lang')).toBe('zh-CN');
    expect(page.get('.visit__papers ul').text()).toContain('居民身份证原件');
  });

  it('may end here although the next item could go on at once', async () => {
    await show({ visit: { ...visit('A022', 'serving'), todo: [{ id: 'advice', name: '咨询', name_en: 'Advice', here: true }] } });
    await tap('finish-only');
    expect(lastBody('service.finish')).toEqual({ type: 'service.finish' });
  });
});

describe('going away', () => {
  it('is asked with reason and time, and the sheet closes when the hall agreed', async () => {
    await show(serving);
    await tap('more', 'more-park', 'span-30', 'sheet-go');
    expect(lastBody('visit.park')).toEqual({ type: 'visit.park', reason: '', minutes: 30, mine: true });
    expect(page.find('[role=dialog]').exists()).toBe(false);
  });
});

describe('a transfer', () => {
  it('that is refused says why and loses nothing that was entered', async () => {
    hall.onRequest('visit.transfer', () => {
      throw new HallError('transfer.same_queue', { queue: '医保' });
    });
    await show(serving);
    await tap('more', 'more-transfer', 'target-medical', 'place-last', 'come-back');
    await page.get('[data-test=note]').setValue('请核对');
    await tap('sheet-go');
    expect(lastBody('visit.transfer')).toMatchObject({ to_queue: 'medical', place: 'last', back: true, note: '请核对' });
    expect(page.get('.foot [role=alert]').text()).toContain('医保');
    expect((page.get('[data-test=note]').element as HTMLTextAreaElement).value).toBe('请核对');
    expect(page.get('[data-test=target-medical]').attributes('aria-pressed')).toBe('true');
  });

  it('keeps what was entered while the line is down, and can be sent afterwards', async () => {
    await show(serving);
    await tap('more', 'more-transfer', 'target-medical');
    await page.get('[data-test=note]').setValue('请核对');
    hall.down = true;
    hall.drop();
    await soon(2_000);
    expect(isOff('sheet-go')).toBe(true);
    expect(page.get('.foot [role=alert]').text()).toContain('连接断开');
    hall.down = false;
    await soon(20_000);
    expect(hall.count('visit.transfer')).toBe(0);
    await tap('target-medical', 'sheet-go');
    expect(lastBody('visit.transfer')).toMatchObject({ to_queue: 'medical', note: '请核对' });
  });

  it('does not offer the own window or closed ones', async () => {
    const base = { view: 'window_brief', name: '窗口', name_en: '', ticket_number: '', pause_reason: '', waiting: 0, served: 0, queues: [], planned: null, planned_name: '' } as const;
    hall.set('windows', 'w5', { ...base, id: 'w5', number: '5', state: 'open', staff: 's5', staff_name: '周敏' });
    hall.set('windows', 'w6', { ...base, id: 'w6', number: '6', state: 'closed', staff: null, staff_name: '' });
    await show(serving);
    await tap('more', 'more-transfer', 'to-window');
    expect(page.findAll('[data-test^=target-]').map((one) => one.attributes('data-test'))).toEqual(['target-w5']);
    await tap('to-staff', 'target-s5', 'sheet-go');
    expect(lastBody('visit.transfer')).toMatchObject({ to_staff: 's5' });
  });
});

describe('handing back', () => {
  it('needs a held second', async () => {
    await show({ visit: visit('A022', 'called') });
    await tap('more', 'more-putBack');
    expect(hall.count('visit.hand_back')).toBe(0);
    await page.get('[data-test=more-putBack]').trigger('pointerdown');
    await soon(1_100);
    expect(hall.count('visit.hand_back')).toBe(1);
  });
});

describe('the line of those who wait', () => {
  it('says what each was told, and who has waited longer or may not be reached', async () => {
    const told = (low: number, high: number, beyond = false) => ({ low, high, basis: 'simulation' as const, beyond });
    const late = { ...brief('A031'), told: told(1, 3) };
    const last = { ...brief('A032'), told: told(40, 70, true) };
    await show();
    hall.waiting = [];
    hall.show({ queue: [late, last, brief('A033')], waiting: 3 });
    await soon();
    await flushPromises();
    expect(page.get('[data-test=told-A031]').text()).toBe('取号时预计等 1–3 分钟 · 已经超过');
    expect(page.get('[data-test=told-A032]').text()).toBe('取号时预计等 40–70 分钟');
    expect(page.get('[data-test=row-A032]').text()).toContain('下班前可能叫不到');
    expect(page.get('[data-test=row-A031]').text()).not.toContain('下班前可能叫不到');
    expect(page.find('[data-test=told-A033]').exists()).toBe(false);
  });

  it('says first how long each still waits, and what was told only where it will not be kept', async () => {
    const span = (low: number, high: number, basis: 'simulation' | 'average' = 'simulation') => ({ low, high, basis, beyond: false });
    const rows = ['A031', 'A032', 'A033'].map((number) => ({ ...brief(number), told: span(8, 12) }));
    await show();
    hall.waiting = [];
    hall.show({ queue: rows, waiting: 3 });
    const ids = rows.map((one) => one.ticket);
    hall.set('desk:w3', 'waits', {
      view: 'desk_waits',
      waits: { [ids[0] ?? '']: span(0, 2), [ids[1] ?? '']: span(9, 15, 'average') },
    });
    await soon();
    await flushPromises();
    expect(page.get('[data-test=live-A031]').text()).toBe('2 分钟内轮到');
    expect(page.find('[data-test=told-A031]').exists()).toBe(false);
    expect(page.get('[data-test=live-A032]').text()).toBe('还要约 9–15 分钟 · 按平均估计');
    expect(page.get('[data-test=told-A032]').text()).toBe('取号时预计等 8–12 分钟 · 会超过');
    expect(page.find('[data-test=live-A033]').exists()).toBe(false);
    expect(page.get('[data-test=told-A033]').text()).toBe('取号时预计等 8–12 分钟');
  });

  it('counts who waits for other windows without listing them', async () => {
    await show();
    hall.waiting = [];
    hall.show({ waiting: 0, elsewhere: 7 });
    await soon();
    await flushPromises();
    expect(page.get('[data-test=elsewhere]').text()).toBe('等候的 7 位要由别的窗口办理');
    hall.show({ queue: [brief('A041')], waiting: 1 });
    await soon();
    await flushPromises();
    expect(page.get('[data-test=elsewhere]').text()).toBe('另有 7 人要由别的窗口办理');
  });

  it('says beside how long the visitor waited what they were told', async () => {
    await show();
    const told = { low: 5, high: 10, basis: 'simulation' as const, beyond: false };
    hall.show({ visit: { ...visit('A022', 'serving'), told } });
    await soon();
    await flushPromises();
    const line = page.get('[data-test=visit-told]');
    expect(line.text()).toBe('取号时预计等 5–10 分钟');
    expect(line.classes()).toContain('is-late');
  });
});

describe('calling out of turn', () => {
  it('needs the permission', async () => {
    await show();
    await tap('row-A024');
    expect(page.text()).not.toContain('点呼');
  });

  it('needs a reason, in own words if none of the usual fits', async () => {
    await show({ permissions: ['pick'] });
    await tap('row-A024');
    expect(isOff('sheet-go')).toBe(true);
    await tap('own-reason');
    await page.get('[data-test=own-words]').setValue('轮椅充电');
    await tap('sheet-go');
    expect(lastBody('call.ticket')).toMatchObject({ ticket: brief('A024').ticket, reason: '轮椅充电' });
  });
});

describe('the lists', () => {
  it('bring back who is away and call who was missed in one tap, only while the window is idle', async () => {
    await show({ away: [brief('A050')], missed: [brief('A060')] });
    await tap('tab-away', 'resume-A050');
    expect(lastBody('visit.resume')).toMatchObject({ ticket: brief('A050').ticket });
    await tap('tab-missed', 'requeue-A060');
    expect(lastBody('ticket.return')).toMatchObject({ ticket: brief('A060').ticket });
    hall.show({ ...serving, missed: [brief('A060')] });
    await soon();
    expect(isOff('resume-A060')).toBe(true);
    expect(isOff('requeue-A060')).toBe(false);
  });
});

describe('a ticket made at the desk', () => {
  it('needs a reason where the item needs identity, and shows its number', async () => {
    hall.onRequest('ticket.make', () => ({ number: 'A031' }));
    await show({ permissions: ['make_tickets'] });
    await tap('more', 'more-make', 'item-card');
    expect(isOff('sheet-go')).toBe(true);
    await page.findAll('.choice').find((one) => one.text() === '忘带证件')?.trigger('click');
    await tap('sheet-go');
    expect(lastBody('ticket.make')).toMatchObject({ item: 'card', waiver: '忘带证件', party: 1, print_at: null });
    expect(page.get('[role=status]').text()).toContain('A031');
  });

  it('is not for everybody', async () => {
    await show();
    await tap('more');
    expect(isOff('more-make')).toBe(true);
    expect(page.text()).toContain('没有这项权限');
  });
});

describe('lending', () => {
  it('names queues and time, and is taken back in one tap', async () => {
    await show({ permissions: ['lend_windows'] });
    await tap('more', 'more-lend', 'lend-medical', 'sheet-go');
    expect(lastBody('window.lend')).toEqual({ type: 'window.lend', queues: ['medical'], minutes: 60 });
    hall.show({ lent: ['medical'], lent_until: Date.now() + 60_000, permissions: ['lend_windows'] });
    await soon();
    await tap('more', 'more-lend', 'lend-end');
    expect(lastBody('window.lend')).toMatchObject({ queues: [] });
  });
});

describe('the password', () => {
  it('is only sent when both new ones agree, and keeps what was typed when it is refused', async () => {
    hall.onRequest('staff.password', () => {
      throw new HallError('login.password_weak');
    });
    await show();
    await tap('more', 'more-password');
    await page.get('[data-test=password-present]').setValue('old-one');
    await page.get('[data-test=password-fresh]').setValue('new-one');
    await page.get('[data-test=password-again]').setValue('other');
    expect(isOff('sheet-go')).toBe(true);
    await page.get('[data-test=password-again]').setValue('new-one');
    await tap('sheet-go');
    expect(page.get('.foot [role=alert]').text()).not.toBe('');
    const faulty = page.findAll('[aria-invalid=true]');
    expect(faulty.map((one) => one.attributes('data-test'))).toEqual(['password-fresh']);
    expect(page.get(`#${faulty[0]?.attributes('aria-describedby') ?? ''}`).attributes('role')).toBe('alert');
    expect((page.get('[data-test=password-fresh]').element as HTMLInputElement).value).toBe('new-one');
  });
});

describe('a desk on which nobody can be called', () => {
  it('says so on the big button instead of naming somebody', async () => {
    await show();
    hall.show({ next: null, queue: [], waiting: 0, elsewhere: 2 });
    await soon();
    expect(page.get('[data-test=primary]').text()).toContain('没有您能办理的号');
    expect(isOff('primary')).toBe(true);
  });
});

describe('the day at a glance', () => {
  function fill(value: number, level: 'calm' | 'busy' | 'overloaded'): void {
    const parts = [{ name: 'load', points: value, most: 100 }];
    const counts = { arrivals: 3, waiting: 2, windows: 1, windows_needed: 3, wait_minutes: 12 };
    const pressure = { value, level, parts, ...counts };
    hall.set('desk:w3', 'pulse', { view: 'desk_pulse', waiting: 45, windows_open: 5, windows: 8, served: 231, pressure });
    const items = [{ item: 'card', name: '社会保障卡申领', name_en: '', served: 3, seconds: 300, hall_seconds: 420 }];
    const levels = [{ level: 'dissatisfied', count: 2 } as const];
    const own = { staff: 's1', served: 3, serving_seconds: 900, no_show: 4, not_rated: 1 };
    hall.set('desk:w3', 'figures', { view: 'desk_figures', ...own, hours: [{ hour: 9, served: 3 }], items, levels });
  }

  it.each([
    [12, 'calm', '从容'],
    [62, 'busy', '繁忙'],
    [88, 'overloaded', '过载'],
  ] as const)('reads a pressure of %i as %s by number, word and sign', async (value, level, word) => {
    fill(value, level);
    await show();
    const strip = page.get('[data-test=day]');
    expect(strip.text()).toContain(`${value}`);
    expect(strip.text()).toContain(word);
    expect(strip.find('svg').exists()).toBe(true);
  });

  it('shows own figures beside the hall’s, each with words for who cannot see the picture', async () => {
    fill(62, 'busy');
    await show();
    await tap('day');
    const text = page.get('[role=dialog]').text();
    for (const words of ['您 5.0 分钟 · 大厅 7.0 分钟', '建议再开 2 个窗口', '45', '5/8', '231', '不满意 2', '过号 4 人']) {
      expect(text, words).toContain(words);
    }
    expect(page.get('.gauge svg').attributes('aria-label')).toBe('压力值 62，繁忙');
    expect(page.get('table').text()).toContain('9 点');
  });

  it('tells a first visit from a visitor whose day is not known', async () => {
    fill(12, 'calm');
    await show({ visit: visit('A022', 'serving') });
    await tap('day');
    expect(page.get('[role=dialog]').text()).toContain('没有登记身份');
    hall.set('desk:w3', 'visitor', { view: 'visitor_day', ticket: visit('A022', 'serving').ticket, visits: [] });
    await soon();
    expect(page.get('[role=dialog]').text()).toContain('今天第一次来');
  });

  it('lists the visitor’s other tickets of today', async () => {
    fill(12, 'calm');
    const one = { ticket: 't-1', number: 'B012', item_name: '参保登记', item_name_en: '', window_number: '5', issued_at: 0, begun_at: 0, ended_at: 0 };
    const visits = [{ ...one, state: 'cancelled' as const }];
    hall.set('desk:w3', 'visitor', { view: 'visitor_day', ticket: visit('A022', 'serving').ticket, visits });
    await show({ visit: visit('A022', 'serving') });
    expect(page.get('[data-test=visits]').text()).toContain('今天另有 1 件');
    await tap('day');
    for (const words of ['B012', '参保登记', '5 号窗口', '已取消']) expect(page.get('[role=dialog]').text()).toContain(words);
  });

  it('says that its figures are old while the line is down', async () => {
    fill(12, 'calm');
    await show();
    await tap('day');
    hall.down = true;
    hall.drop();
    await soon(3_000);
    expect(page.get('[role=dialog]').text()).toContain('下面是断开前的数字');
    expect(page.text()).toMatch(/下面是 \d+ 秒前的数据/);
  });
});

describe('the login code', () => {
  it('is shown in one tap, renewed when its time is over, and gone while the line is down', async () => {
    localStorage.clear();
    hall.onRequest('staff.scan', () => ({
      scan: { url: 'http://hall/scan/x', until: Date.now() + 180_000, modules: ['110', '001', '100'] },
    }));
    await show();
    await tap('scan');
    expect(page.get('[data-test=scan-code] path').attributes('d')).toBe('M0 0h2v1h-2zM2 1h1v1h-1zM0 2h1v1h-1z');
    await soon(181_000);
    expect(hall.count('staff.scan')).toBe(2);
    hall.down = true;
    hall.drop();
    await soon(2_000);
    expect(page.find('[data-test=scan-code]').exists()).toBe(false);
    hall.down = false;
    await soon(20_000);
    expect(page.find('[data-test=scan-code]').exists()).toBe(true);
  });
});
