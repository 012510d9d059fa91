/** What the previews' sheets list: queues, items, classes, kiosks, and a visitor with everything. */
import type { ClassView, CurrentVisit, ItemView, TicketBrief, WindowView } from '@qingting/client';
import type { FakeHall } from '@qingting/client/fake';
import { ITEMS, brief, visit, windowView } from './hall';

const READINGS = ['shehuibaozhangka', 'chengxiangjumin', 'shiyebaoxianjin', 'linghuojiuye', 'qiyezhigong'];
const INITIALS = ['shbzksl', 'cxjmjbylbxcbdj', 'sybxjsl', 'lhjyryshbxbtsl', 'qyzgtxsq'];

function item(index: number): ItemView {
  const [name, nameEn] = ITEMS[index] ?? ['', ''];
  return {
    id: `item-${index}`,
    name,
    name_en: nameEn,
    department: 'rsj',
    queue: 'social',
    materials: [],
    promised_days: 5,
    legal_basis: '',
    needs_identity: index !== 2,
    hot: index < 2,
    pinyin: READINGS[index] ?? '',
    initials: INITIALS[index] ?? '',
    offered: true,
    why: '',
    why_params: {},
    sample: true,
    group: '',
    party_max: 20,
  };
}

const CLASSES: readonly (readonly [string, string, string, string])[] = [
  ['ordinary', '普通', 'Ordinary', ''],
  ['booked', '预约', 'Booked', ''],
  ['soldier', '军人', 'Military', '军人证件、退役军人优待证'],
  ['rescue', '消防救援人员', 'Fire and rescue', '消防救援人员证件'],
  ['disabled', '残疾人', 'Disabled', '残疾人证'],
  ['pregnant', '孕妇、携带婴儿', 'Pregnant or with an infant', ''],
  ['elderly', '老年人', 'Elderly', '身份证'],
];

const QUEUES: readonly (readonly [string, string, string, number])[] = [
  ['social', '社会保险', 'Social insurance', 8],
  ['general', '综合受理', 'General affairs', 11],
  ['medical', '医疗保障', 'Medical insurance', 4],
  ['property', '不动产登记', 'Property', 6],
  ['police', '公安户政', 'Household register', 14],
  ['fund', '公积金', 'Housing fund', 2],
];

export function fillLists(hall: FakeHall): void {
  const every: ClassView[] = CLASSES.map(([id, name, nameEn, proof]) => ({ id, name, name_en: nameEn, proof }));
  hall.set('catalogue', 'classes', { view: 'classes', classes: every.slice(2), every });
  hall.set('catalogue', 'items', { view: 'items', items: ITEMS.map((_, index) => item(index)) });
  for (const [id, name, nameEn, waiting] of QUEUES) {
    hall.set('queues', id, { view: 'queue', id, name, name_en: nameEn, waiting, windows_open: 2, closed: false, wait: null });
  }
  for (const number of ['1', '2']) {
    const kiosk = `k${number}`;
    const base = { view: 'device', window: null, conditions: [], since: 0, seen: 0, detail: '', name_en: `Kiosk ${number}` } as const;
    hall.set('devices', kiosk, { ...base, id: kiosk, kind: 'kiosk', name: `${number}号取号机`, parent: null, state: 'ready' });
    const state = number === '1' ? 'ready' : 'lost';
    hall.set('devices', `${kiosk}-p`, { ...base, id: `${kiosk}-p`, kind: 'printer', name: '打印机', parent: kiosk, state });
  }
}

const ELDERLY = { priority: 'elderly', priority_name: '老年人', priority_name_en: 'Elderly' } as const;

/** A visitor with a class, a booking, a party, a note and items to come, one of them here. */
export function richVisit(state: 'called' | 'serving'): CurrentVisit {
  const now = Date.now();
  return {
    ...visit(state),
    ...ELDERLY,
    proof: '身份证',
    reason: 'priority',
    why: { class: '老年人', class_en: 'Elderly', minutes: 12 },
    booked: now,
    party: 3,
    note: '材料齐全，差一份复印件',
    back_to: '5',
    todo: [{ id: 'item-1', name: ITEMS[1]?.[0] ?? '', name_en: ITEMS[1]?.[1] ?? '', here: true }],
    recall_at: now + 4_000,
  };
}

function away(index: number, change: Partial<TicketBrief>): TicketBrief {
  return { ...brief(index), ...change };
}

/** A desk with all three lists and every permission. */
export function richView(change: Partial<WindowView> = {}): WindowView {
  const view = windowView(change, 8);
  const [first, second, third, ...rest] = view.queue;
  const now = Date.now();
  return {
    ...view,
    queue: [
      { ...(first ?? brief(0)), ...ELDERLY, party: 3 },
      { ...(second ?? brief(1)), sent: true },
      { ...(third ?? brief(2)), booked: now, priority: 'booked', priority_name: '预约', priority_name_en: 'Booked', items: 2 },
      ...rest,
    ],
    next_reason: 'priority',
    next_why: { class: '老年人', class_en: 'Elderly', minutes: 12 },
    away: [away(20, { until: now + 600_000, reason: '回去拿材料' }), away(21, { reason: '去缴费' })],
    missed: [away(22, {})],
    permissions: ['pick', 'make_tickets', 'lend_windows'],
    lent: ['medical'],
    lent_until: now + 1_800_000,
    queues: ['social', 'medical'],
    on_shift: '王强',
  };
}
