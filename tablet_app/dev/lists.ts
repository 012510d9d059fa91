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
    materials_en: [],
    promised_days: 5,
    legal_basis: '',
    legal_basis_en: '',
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
    face_check: false,
  };
}

const CLASSES: readonly (readonly [string, string, string, string, string])[] = [
  ['ordinary', '普通', 'Ordinary', '', ''],
  ['booked', '预约', 'Booked', '', ''],
  ['soldier', '军人', 'Military', '军人证件、退役军人优待证', 'Military ID or veteran’s card'],
  ['rescue', '消防救援人员', 'Fire and rescue', '消防救援人员证件', 'Fire and rescue service ID'],
  ['disabled', '残疾人', 'Disabled', '残疾人证', 'Disability certificate'],
  ['pregnant', '孕妇、携带婴儿', 'Pregnant or with an infant', '', ''],
  ['elderly', '老年人', 'Elderly', '身份证', 'ID card'],
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
  const every: ClassView[] = CLASSES.map(([id, name, nameEn, proof, proofEn]) => ({ id, name, name_en: nameEn, proof, proof_en: proofEn }));
  hall.set('catalogue', 'classes', { view: 'classes', classes: every.slice(2), every });
  hall.set('catalogue', 'items', { view: 'items', items: ITEMS.map((_, index) => item(index)) });
  for (const [id, name, nameEn, waiting] of QUEUES) {
    hall.set('queues', id, { view: 'queue', id, name, name_en: nameEn, waiting, windows_open: 2, closed: false, wait: null, items: {} });
  }
  for (const number of ['1', '2']) {
    const kiosk = `k${number}`;
    const base = { view: 'device', window: null, conditions: [], since: 0, seen: 0, detail: '', pad: null, hands: null, runs: null, name_en: `Kiosk ${number}` } as const;
    hall.set('devices', kiosk, { ...base, id: kiosk, kind: 'kiosk', name: `${number}号取号机`, parent: null, state: 'ready' });
    const state = number === '1' ? 'ready' : 'lost';
    hall.set('devices', `${kiosk}-p`, { ...base, id: `${kiosk}-p`, kind: 'printer', name: '打印机', parent: kiosk, state });
  }
}

const ELDERLY = { priority: 'elderly', priority_name: '老年人', priority_name_en: 'Elderly' } as const;

/** A busy day at window 3, and a visitor who was here before. */
export function fillDay(hall: FakeHall, pressure: number): void {
  const level = pressure >= 75 ? 'overloaded' : pressure >= 50 ? 'busy' : 'calm';
  const parts = [
    { name: 'load', points: pressure * 0.5, most: 50 },
    { name: 'wait', points: pressure * 0.35, most: 37.5 },
    { name: 'missed', points: 1.2, most: 12.5 },
  ];
  const counts = { arrivals: 24, waiting: 8, windows: 3, windows_needed: 5, wait_minutes: 18.4 };
  const value = { value: pressure, level, parts, ...counts } as const;
  hall.set('desk:w3', 'pulse', { view: 'desk_pulse', waiting: 45, windows_open: 5, windows: 8, served: 231, pressure: value });
  const waits = Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [brief(index).ticket, { low: 4 + 3 * index, high: 9 + 5 * index, basis: 'simulation' as const, beyond: false }]),
  );
  hall.set('desk:w3', 'waits', { view: 'desk_waits', waits });
  const hours = [2, 5, 6, 4, 1, 3, 5, 1].map((served, index) => ({ hour: 8 + index, served }));
  const items = ITEMS.slice(0, 4).map(([name, nameEn], index) => ({
    item: `item-${index}`,
    name,
    name_en: nameEn,
    served: 12 - 3 * index,
    seconds: 280 + 170 * index,
    hall_seconds: 400 + 90 * index,
  }));
  const counted = { very_satisfied: 14, satisfied: 5, basically_satisfied: 1, dissatisfied: 1, very_dissatisfied: 0 };
  const levels = (Object.keys(counted) as (keyof typeof counted)[]).map((one) => ({ level: one, count: counted[one] }));
  const own = { staff: 's1', served: 27, serving_seconds: 27 * 395, no_show: 2, not_rated: 5 };
  hall.set('desk:w3', 'figures', { view: 'desk_figures', ...own, hours, items, levels });
  const now = Date.now();
  const visit = (number: string, index: number, state: 'done' | 'cancelled') => ({
    ticket: `t-${number}`,
    number,
    item_name: ITEMS[index]?.[0] ?? '',
    item_name_en: ITEMS[index]?.[1] ?? '',
    window_number: state === 'done' ? '5' : '',
    state,
    issued_at: now - 9_000_000,
    begun_at: state === 'done' ? now - 8_400_000 : 0,
    ended_at: now - 7_900_000,
  });
  const visits = [visit('B012', 1, 'done'), visit('C003', 3, 'cancelled')];
  hall.set('desk:w3', 'visitor', { view: 'visitor_day', ticket: brief(0).ticket, visits });
}

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
