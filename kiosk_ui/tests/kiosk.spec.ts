import { flushPromises, mount } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VueWrapper } from '@vue/test-utils';
import type { DeviceView, KioskTicket } from '@qingting/client';
import { HallConnection, memoryIdentity } from '@qingting/client';
import { FakeHall } from '@qingting/client/fake';
import Kiosk from '../src/app/Kiosk.vue';
import { IDLE_S, LEAVE_AFTER_S } from '../src/app/idle';
import * as sample from '../src/dev/sample';
import { createTexts } from '../src/i18n';
import type { Bench } from './support';
import { CARD, bench, soon } from './support';

let b: Bench<VueWrapper>;
let screen: VueWrapper;

beforeEach(async () => {
  vi.useFakeTimers();
  b = await bench((connection) =>
    mount(Kiosk, {
      props: { connection },
      global: { plugins: [createTexts()] },
      attachTo: document.body,
    }),
  );
  screen = b.made;
});

afterEach(() => {
  screen.unmount();
  b.stop();
  vi.useRealTimers();
});

async function press(act: string): Promise<void> {
  await screen.get(`[data-act="${act}"]`).trigger('click');
  await soon();
}

async function choose(id: string): Promise<void> {
  await screen.get(`[data-choice="${id}"]`).trigger('click');
  await soon();
}

async function takeFree(): Promise<void> {
  await press('take');
  await choose('gaj');
  await choose('id-lost');
  await press('proceed');
}

async function toConfirm(): Promise<void> {
  await press('take');
  await choose('gaj');
  await choose('id-renew');
  await press('proceed');
  await press('agree');
  b.hall.push(CARD);
  await soon();
}

async function printed(changes: Partial<KioskTicket>): Promise<void> {
  for (const [key, view] of b.hall.entries('kiosk:k1')) {
    if (view.view === 'kiosk_ticket') b.hall.set('kiosk:k1', key, { ...view, ...changes });
  }
  await soon();
}

async function peripheral(kind: string, changes: Partial<DeviceView>, blocked: string[]): Promise<void> {
  const now = b.hall.now;
  const devices = sample.sound(now).map((one) => (one.kind === kind ? { ...one, ...changes } : one));
  b.hall.set('kiosk:k1', 'kiosk', { ...sample.kiosk(now, devices), blocked_by: blocked });
  await soon();
}

describe('the way to a number', () => {
  it('leads from home to a printed ticket', async () => {
    await toConfirm();
    expect(screen.text()).toContain('王*民');
    await press('confirm');
    expect(screen.get('[data-number]').text()).toBe('A023');
    expect(screen.get('[data-paper]').attributes('data-paper')).toBe('pending');
    await printed({ print_state: 'printed' });
    expect(screen.text()).toContain('约 12–20 分钟');
    expect(screen.text()).toContain('请取走号票');
  });

  it('needs no card for an item that needs none', async () => {
    await takeFree();
    expect(screen.find('[data-number]').exists()).toBe(true);
    expect(b.hall.count('identity.begin')).toBe(0);
  });

  it('does not let an item be taken that is not offered, and says why', async () => {
    await press('search');
    for (const key of 'gzkz') await screen.get(`[data-key="${key}"]`).trigger('click');
    await choose('seal');
    expect(screen.text()).toContain('今天不办理');
    expect(screen.get('[data-act="proceed"]').attributes('disabled')).toBeDefined();
  });

  it('says honestly when nobody can tell the waiting time', async () => {
    await takeFree();
    await printed({ print_state: 'printed', wait: null });
    expect(screen.text()).toContain('暂时无法估计');
  });

  it('says on the screen what the paper says when one is next', async () => {
    await takeFree();
    await printed({ print_state: 'printed', ahead: 0, wait: { low: 0, high: 2, basis: 'simulation', beyond: false } });
    expect(screen.text()).toContain('即将轮到您');
  });

  it.each([
    [{ basis: 'average', beyond: false }, '按平均办理时间估计'],
    [{ basis: 'wide', beyond: false }, '近期等候时间不太准'],
    [{ basis: 'simulation', beyond: true }, '下班前可能排不到您'],
  ] as const)('says what one should know about a waiting time: %o', async (known, words) => {
    await takeFree();
    await printed({ print_state: 'printed', wait: { low: 12, high: 20, ...known } });
    expect(screen.text()).toContain('约 12–20 分钟');
    expect(screen.text()).toContain(words);
  });

  it('adds nothing to a waiting time that is good', async () => {
    await takeFree();
    await printed({
      print_state: 'printed',
      wait: { low: 12, high: 20, basis: 'simulation', beyond: false },
    });
    expect(screen.find('[data-wait]').exists()).toBe(false);
  });

  it('offers another print only while the printer could do it', async () => {
    const reprint = (): boolean => screen.get('[data-act="reprint"]').attributes('disabled') === undefined;
    await takeFree();
    await printed({ print_state: 'failed', print_cause: 'paper_out' });
    expect(reprint()).toBe(true);
    await peripheral('printer', { state: 'degraded' }, ['kiosk.printer_fault']);
    expect(reprint()).toBe(false);
    expect(screen.text()).toContain('修好后可补打');
    await peripheral('printer', { state: 'ready' }, []);
    expect(reprint()).toBe(true);
  });

  it('speaks English throughout when asked to', async () => {
    await screen.get('[data-view="language"]').trigger('click');
    await takeFree();
    await printed({ print_state: 'printed' });
    expect(screen.text()).toContain('about 12–20 min');
    expect(b.hall.asked.find(({ body }) => body.type === 'ticket.take')?.body).toMatchObject({ language: 'en' });
  });

  it('tells readers of English what to bring and why, in English', async () => {
    await screen.get('[data-view="language"]').trigger('click');
    await press('take');
    await choose('gaj');
    await choose('id-lost');
    expect(screen.get('.item__materials ul').attributes('lang')).toBe('en');
    expect(screen.get('.item__materials').text()).toContain('Household register');
    expect(screen.get('.item__basis').text()).toContain('Resident Identity Card Law, Art. 11');
    await press('proceed');
    expect(screen.get('.facts__bring ul').attributes('lang')).toBe('en');
    expect(screen.get('.facts__bring').text()).toContain('Household register');
  });

  it('marks papers that nobody has translated as Chinese', async () => {
    const untranslated = sample.items.map((one) => ({ ...one, materials_en: [], legal_basis_en: '' }));
    b.hall.set('catalogue', 'items', { view: 'items', items: untranslated });
    await screen.get('[data-view="language"]').trigger('click');
    await press('take');
    await choose('gaj');
    await choose('id-lost');
    expect(screen.get('.item__materials ul').attributes('lang')).toBe('zh-CN');
    expect(screen.get('.item__materials ul').text()).toContain('居民户口簿');
    expect(screen.get('.item__basis span').attributes('lang')).toBe('zh-CN');
  });
});

describe('before the number', () => {
  it('says when an item is offered again, before anything is taken', async () => {
    await press('search');
    for (const key of 'gzkz') await screen.get(`[data-key="${key}"]`).trigger('click');
    await choose('seal');
    expect(screen.text()).toContain('办理日：周二、周四');
    await screen.get('[data-view="language"]').trigger('click');
    expect(screen.text()).toContain('is offered on: Tue, Thu');
  });

  it('offers company and a claim only as something small beside the number', async () => {
    await toConfirm();
    expect(screen.get('[data-party]').text()).toBe('1 人一起办');
    await press('several');
    await press('claim');
    expect(screen.text()).toContain('残疾人证');
    await screen.get('[data-claim="disabled"]').trigger('click');
    await press('confirm');
    expect(b.hall.asked.find(({ body }) => body.type === 'ticket.take')?.body).toMatchObject({
      party: 2,
      priority: 'disabled',
    });
  });

  it('tells the elderly kindly that they need not ask', async () => {
    await press('take');
    await choose('gaj');
    await choose('id-renew');
    await press('proceed');
    await press('agree');
    b.hall.push({ ...CARD, priority: 'elderly' });
    await soon();
    expect(screen.text()).toContain('已经为您安排优先办理');
  });
});

describe('a ticket that comes back', () => {
  async function scan(changes: Partial<KioskTicket>): Promise<void> {
    b.hall.push({ type: 'code.found', ticket: 't-old', number: 'A007' });
    const old = { ...sample.ticket('t-old', 'A007', 'id-lost', b.hall.now), print_state: 'printed' as const };
    b.hall.set('kiosk:k1', 'ticket:t-old', { ...old, ...changes });
    await soon();
  }

  it.each([
    [{ state: 'called', window_number: '3' }, '请去 3 号窗口', false],
    [{ state: 'serving', window_number: '3' }, '正在 3 号窗口办理', false],
    [{ state: 'parked', can_return: true }, '给您留着位置', true],
    [{ state: 'no_show', can_return: true }, '还可以再排一次', true],
    [{ state: 'no_show' }, '不能再恢复', false],
    [{ state: 'done' }, '已经办完', false],
  ] as const)('says where it stands: %o', async (changes, words, back) => {
    await scan(changes);
    expect(screen.text()).toContain(words);
    expect(screen.find('[data-act="return"]').exists()).toBe(back);
  });

  it('leaves the queue only when asked twice', async () => {
    await scan({ state: 'waiting' });
    await press('leave');
    expect(b.hall.count('ticket.leave')).toBe(0);
    await press('leave-yes');
    expect(b.hall.count('ticket.leave')).toBe(1);
  });
});

describe('the first screen', () => {
  const rows = (): string[] => screen.findAll('[data-queue]').map((row) => row.text());

  it('says how full the hall is, the longest queues first, with their intervals', () => {
    expect(screen.text()).toContain('66 人');
    expect(rows()).toHaveLength(sample.queues.length);
    expect(rows()[0]).toMatch(/^卫生健康\s*10 人\s*约 24–32 分钟$/);
    expect(rows().at(-1)).toMatch(/^住建\s*0 人/);
  });

  it('follows the queues, and says which takes no numbers', async () => {
    const [first] = sample.queues;
    if (first === undefined) throw new Error('the sample has no queue');
    b.hall.set('queues', first.id, { ...first, waiting: 40, wait: null });
    await soon();
    expect(rows()[0]).toMatch(/^公安\s*40 人\s*暂时无法估计$/);
    b.hall.set('queues', first.id, { ...first, waiting: 40, wait: null, windows_open: 0 });
    await soon();
    expect(rows()[0]).toMatch(/^公安\s*40 人\s*窗口还没有开放$/);
    b.hall.set('queues', first.id, { ...first, waiting: 40, wait: { low: 0, high: 2, basis: 'simulation', beyond: false } });
    await soon();
    expect(rows()[0]).toMatch(/^公安\s*40 人\s*随到随办$/);
    b.hall.set('queues', first.id, { ...first, waiting: 40, closed: true });
    await soon();
    expect(rows().at(-1)).toMatch(/^公安\s*暂停取号$/);
  });

  it('can be shown in high contrast, with large type too, until the citizen leaves', async () => {
    await screen.get('[data-view="contrast"]').trigger('click');
    expect(screen.get('.kiosk').attributes('data-theme')).toBe('day contrast');
    await screen.get('[data-view="elder"]').trigger('click');
    expect(screen.get('.kiosk').attributes('data-theme')).toBe('elder contrast');
    await soon((IDLE_S + 2) * 1_000);
    expect(screen.get('.kiosk').attributes('data-theme')).toBe('day');
  });
});

describe('the paper', () => {
  it('keeps the number and offers a reprint when the print failed', async () => {
    await takeFree();
    await printed({ print_state: 'failed', print_cause: 'paper_out' });
    expect(screen.text()).toContain('缺纸');
    expect(screen.text()).toContain('号码有效');
    await press('reprint');
    expect(b.hall.count('ticket.reprint')).toBe(1);
    expect(screen.get('[data-number]').text()).toBe('A023');
  });

  it('says that it does not know when it does not, and never reprints by itself', async () => {
    await takeFree();
    await printed({ print_state: 'unknown' });
    await soon(10_000);
    expect(screen.text()).toContain('不能确定');
    expect(b.hall.count('ticket.reprint')).toBe(0);
  });

  it('shows a scanned ticket with its place and prints it again only when asked', async () => {
    const old = { ...sample.ticket('t-old', 'A007', 'id-lost', b.hall.now), print_state: 'printed' as const };
    b.hall.push({ type: 'code.found', ticket: 't-old', number: 'A007' });
    await soon();
    expect(screen.text()).not.toContain('正在打印');
    b.hall.set('kiosk:k1', 'ticket:t-old', old);
    await soon();
    expect(screen.text()).toContain('这张号票有效');
    await press('reprint');
    b.hall.set('kiosk:k1', 'ticket:t-old', { ...old, attempt: 2, print_state: 'pending' });
    await soon();
    expect(screen.text()).toContain('正在打印');
    b.hall.set('kiosk:k1', 'ticket:t-old', { ...old, attempt: 2 });
    await soon();
    expect(screen.text()).toContain('请取走号票');
  });

  it('keeps the number on the screen while the printer is out and the line is cut', async () => {
    await takeFree();
    await peripheral('printer', { state: 'lost' }, ['kiosk.printer_absent']);
    b.hall.down = true;
    b.hall.drop();
    await soon(6_000);
    expect(screen.get('[data-number]').text()).toBe('A023');
  });
});

describe('leaving', () => {
  it('goes home by itself after the number was shown, and can be held', async () => {
    await takeFree();
    await printed({ print_state: 'printed' });
    await soon(20_000);
    await press('stay');
    await soon(30_000);
    expect(screen.find('[data-number]').exists()).toBe(true);
    await soon(31_000);
    expect(screen.find('[data-act="take"]').exists()).toBe(true);
  });

  it('asks once, then forgets everything of a citizen who walked away', async () => {
    await screen.get('[data-view="elder"]').trigger('click');
    await toConfirm();
    await soon((IDLE_S - LEAVE_AFTER_S + 1) * 1_000);
    expect(screen.text()).toContain('您还在吗');
    await soon(LEAVE_AFTER_S * 1_000);
    expect(screen.find('[data-act="take"]').exists()).toBe(true);
    expect(screen.html()).not.toMatch(/王\*民|230602/);
    expect(screen.get('.kiosk').attributes('data-theme')).toBe('day');
    expect(b.hall.count('identity.end')).toBe(1);
  });

  it('stays when the citizen says so', async () => {
    await toConfirm();
    await soon((IDLE_S - LEAVE_AFTER_S + 1) * 1_000);
    await press('stay');
    await soon(LEAVE_AFTER_S * 1_000 + 2_000);
    expect(screen.text()).toContain('王*民');
  });

  it('forgets when the page is hidden', async () => {
    await toConfirm();
    window.dispatchEvent(new Event('pagehide'));
    await soon();
    expect(screen.html()).not.toContain('王*民');
    expect(b.hall.count('identity.end')).toBe(1);
  });
});

describe('when it cannot work', () => {
  it('says what is wrong with the printer in words, and works again by itself', async () => {
    await peripheral(
      'printer',
      { state: 'degraded', conditions: [{ condition: 'cover_open', since: b.hall.now }] },
      ['kiosk.printer_fault'],
    );
    expect(screen.text()).toContain('暂停服务');
    expect(screen.text()).toContain('打印机故障：机盖打开');
    expect(screen.text()).toContain('合上打印机盖');
    await peripheral('printer', {}, []);
    expect(screen.find('[data-act="take"]').exists()).toBe(true);
  });

  it('keeps working without a scanner, and says so', async () => {
    await peripheral('scanner', { state: 'lost' }, []);
    expect(screen.text()).toContain('扫码器：没有回应');
    expect(screen.find('[data-act="take"]').exists()).toBe(true);
  });

  it('does not send people to a reader that is not there', async () => {
    await peripheral('id_reader', { state: 'lost' }, []);
    await press('take');
    await choose('gaj');
    await choose('id-renew');
    expect(screen.get('[data-act="proceed"]').attributes('disabled')).toBeDefined();
    expect(screen.text()).toContain('读卡器暂时不能用');
  });

  it('shows no empty list while the hall cannot be reached, and comes back', async () => {
    b.hall.down = true;
    b.hall.drop();
    await soon(4_000);
    expect(screen.text()).toContain('正在恢复与大厅的连接');
    expect(screen.find('[data-act="take"]').exists()).toBe(false);
    b.hall.down = false;
    await soon(9_000);
    expect(screen.find('[data-act="take"]').exists()).toBe(true);
  });

  it('does not flicker for a drop of a second', async () => {
    b.hall.drop();
    await soon(1_000);
    expect(screen.text()).not.toContain('正在恢复');
  });
});

describe('calling a member of staff', () => {
  it('calls once however often it is pressed, and says so', async () => {
    const button = screen.get('[data-nav="help"]');
    await button.trigger('click');
    await button.trigger('click');
    await soon();
    await button.trigger('click');
    expect(b.hall.count('help.ask')).toBe(1);
    expect(button.text()).toContain('已呼叫');
  });
});

describe('a kiosk nobody knows', () => {
  it('asks for its pairing code and works after it', async () => {
    const hall = new FakeHall().enrol('k9', { key: 'k9-key', role: 'kiosk', name: '9号' }, '11112222');
    const connection = new HallConnection({ identity: memoryIdentity(), openSocket: hall.openSocket, url: 'x' });
    const page = mount(Kiosk, { props: { connection }, global: { plugins: [createTexts()] } });
    connection.start();
    await flushPromises();
    expect(page.text()).toContain('还没有配对');
    for (const digit of '99999999') await page.get(`[data-key="${digit}"]`).trigger('click');
    await soon();
    expect(page.text()).toContain('配对码不对');
    for (const digit of '11112222') await page.get(`[data-key="${digit}"]`).trigger('click');
    await soon();
    expect(connection.status.state).toBe('ready');
    page.unmount();
    connection.stop();
  });

  it('tries the code of its address once, says that it is no good, and does not hammer', async () => {
    const hall = new FakeHall();
    const dialled = vi.fn(hall.openSocket);
    const connection = new HallConnection({ identity: memoryIdentity(), openSocket: dialled, url: 'x' });
    history.replaceState(null, '', '#pair=77777777');
    const page = mount(Kiosk, { props: { connection }, global: { plugins: [createTexts()] } });
    connection.start();
    await soon();
    await soon();
    expect(page.text()).toContain('配对码不对');
    expect(dialled).toHaveBeenCalledTimes(1);
    page.unmount();
    connection.stop();
  });
});
