/** A hall in memory for looking at the screens: `npm run dev`, then /tablet/dev/call.html?scene=idle. */
import type { CurrentVisit, RatingPadView, TicketBrief, WindowBrief, WindowView } from '@qingting/client';
import { HallConnection, HallError, memoryIdentity } from '@qingting/client';
import { FakeHall } from '@qingting/client/fake';

const MINUTE = 60_000;
export const ITEMS: readonly (readonly [string, string])[] = [
  ['社会保障卡申领', 'Social security card: application'],
  ['城乡居民基本养老保险参保登记', 'Residents’ pension insurance: enrolment'],
  ['失业保险金申领', 'Unemployment benefit: application'],
  ['灵活就业人员社会保险补贴申领', 'Social insurance subsidy for flexible workers'],
  ['企业职工退休申请', 'Retirement of employees: application'],
];
const NAMES = ['王*明', '李*', '张*芳', '', '刘*伟', '陈*', '杨*丽', '赵*国'];

export function brief(index: number): TicketBrief {
  const [zh, en] = ITEMS[index % ITEMS.length] ?? ['', ''];
  const number = `A${String(23 + index).padStart(3, '0')}`;
  return {
    ticket: `2026-11-23-social-${number}`,
    number,
    item_name: zh,
    item_name_en: en,
    since: Date.now() - Math.max(0.4, 19 - index * 2.6) * MINUTE,
    masked_name: NAMES[index % NAMES.length] ?? '',
    priority: 'ordinary',
    priority_name: '普通',
    priority_name_en: 'Ordinary',
    booked: null,
    late: false,
    party: 1,
    items: 1,
    returned: '',
    told: { low: 12, high: 20, basis: 'average', beyond: false },
    until: null,
    reason: '',
    sent: false,
  };
}

export function visit(state: 'called' | 'serving', calls = 1): CurrentVisit {
  const now = Date.now();
  return {
    ...brief(0),
    ticket: brief(0).ticket,
    state,
    item: 'social-card',
    department_name: '人力资源和社会保障局',
    department_name_en: 'Human Resources and Social Security Bureau',
    masked_number: '230602********1234',
    issued_at: now - 19 * MINUTE,
    called_at: now - 5.6 * MINUTE,
    since: now - (state === 'called' ? 0.8 : 4.2) * MINUTE,
    calls,
    reason: 'longest_waiting',
    materials: ['居民身份证原件', '近期一寸白底免冠照片', '居住证或户口簿（外省户籍）', '委托代办的，带授权委托书和代办人身份证'],
    materials_en: ['Identity card', 'Recent one-inch photograph, white background', 'Residence permit or household register (from other provinces)', 'Authorisation and agent’s identity card (if by an agent)'],
    why: { minutes: 19 },
    proof: '',
    proof_en: '',
    todo: [],
    note: '',
    back_to: '',
    waiver: '',
    misses: 0,
    recall_at: 0,
    told: { low: 6, high: 14, basis: 'simulation', beyond: false },
    face_check: null,
  };
}

export function windowView(change: Partial<WindowView> = {}, waiting = 8): WindowView {
  return {
    view: 'window',
    id: 'w3',
    number: '3',
    name: '社会保险综合窗口',
    name_en: 'Social insurance',
    state: 'open',
    staff: 's1',
    staff_name: '李静',
    pause_reason: '',
    visit: null,
    waiting,
    queue: Array.from({ length: Math.min(12, waiting) }, (_, index) => brief(index)),
    counts: { served: 27, no_show: 2, serving_seconds: 27 * 395, ratings: 21, bad_ratings: 1, not_rated: 5 },
    away: [],
    missed: [],
    permissions: [],
    queues: ['social'],
    lent: [],
    lent_until: null,
    on_shift: '',
    next: waiting > 0 ? brief(0).ticket : null,
    next_reason: 'longest_waiting',
    next_why: { minutes: 19 },
    elsewhere: 0,
    ...change,
  };
}

const WINDOWS: readonly (readonly [string, string, string, WindowBrief['state'], string, number])[] = [
  ['1', '综合受理', 'General affairs', 'open', '赵强', 11],
  ['2', '综合受理', 'General affairs', 'paused', '孙丽', 11],
  ['3', '社会保险综合窗口', 'Social insurance', 'closed', '', 8],
  ['4', '医疗保障', 'Medical insurance', 'open', '周敏', 4],
  ['5', '不动产登记', 'Property registration', 'closed', '', 6],
  ['6', '公安户政', 'Household register', 'open', '吴刚', 14],
  ['7', '市场主体登记', 'Business registration', 'closed', '', 0],
  ['8', '公积金', 'Housing fund', 'closed', '', 2],
];

export function fillWindows(hall: FakeHall, mine: boolean): void {
  for (const [number, name, nameEn, own, holder, waiting] of WINDOWS) {
    const held = mine && number === '3';
    const state = held ? 'open' : own;
    const staff = held ? '李静' : holder;
    hall.set('windows', `w${number}`, {
      view: 'window_brief',
      id: `w${number}`,
      number,
      name,
      name_en: nameEn,
      state,
      staff_name: staff,
      ticket_number: '',
      pause_reason: state === 'paused' ? '午间休息' : '',
      waiting,
      served: 12,
      staff: staff === '' ? null : held ? 's1' : `s-${number}`,
      queues: ['social'],
      planned: number === '3' ? 's1' : null,
      planned_name: number === '3' ? '李静' : '',
    });
  }
}

/** A hall whose window really works, so that the preview can be played through. */
export function workingHall(first: WindowView): FakeHall {
  const hall = new FakeHall();
  let view = first;
  const show = (change: Partial<WindowView>): undefined => {
    view = { ...view, ...change };
    hall.set('window:w3', 'window', view);
    return undefined;
  };
  hall.enrol('pad-3', { key: 'preview', role: 'call_pad', name: '3号窗口呼叫平板' }, '48291307');
  show({});
  hall.onRequest('staff.login', (body) => {
    if (body.password.length < 4) throw new HallError('staff.wrong_password', { left: 4 });
    return { staff: 's1', staff_name: '李静' };
  });
  hall.onRequest('window.take', (body) => {
    const taken = WINDOWS.find(([number]) => `w${number}` === body.window);
    if (taken?.[4]) throw new HallError('window.taken', { window: taken[0], staff: taken[4] });
    return show({ state: 'open', staff: 's1', staff_name: '李静', pause_reason: '' });
  });
  hall.onRequest('window.rest', (body) => show({ state: 'paused', pause_reason: body.reason ?? '' }));
  hall.onRequest('window.leave', () => show({ state: 'closed', staff: null, staff_name: '' }));
  hall.onRequest('call.next', () => {
    const [next, ...queue] = view.queue;
    if (next === undefined) throw new HallError('call.nobody_waiting');
    return show({ queue, waiting: queue.length, visit: { ...visit('called'), ...next, calls: 1, since: Date.now() } });
  });
  hall.onRequest('call.recall', () => {
    throw new HallError('call.recall_too_soon', { seconds: 4 });
  });
  const move = (to: 'serving' | null) => (): undefined =>
    show({ visit: to === null || view.visit === null ? null : { ...view.visit, state: to, since: Date.now() } });
  hall.onRequest('service.begin', move('serving'));
  hall.onRequest('service.finish', move(null));
  hall.onRequest('call.no_show', move(null));
  hall.onRequest('help.done', (body) => {
    hall.remove('help', body.device);
    return undefined;
  });
  return hall;
}

export function padView(change: Partial<RatingPadView> = {}): RatingPadView {
  return {
    view: 'rating_pad',
    window: 'w3',
    window_number: '3',
    window_name: '社会保险综合窗口',
    window_name_en: 'Social insurance',
    state: 'open',
    clerk_name: '李静',
    clerk_number: '1023',
    clerk_photo: '',
    serving_number: 'A023',
    request: null,
    ...change,
  };
}

export function connect(hall: FakeHall, device: string, paired = true): HallConnection {
  hall.now = Date.now();
  return new HallConnection({
    identity: memoryIdentity(paired ? { device, key: 'preview' } : null),
    url: 'ws://preview/hub',
    openSocket: hall.openSocket,
  });
}
