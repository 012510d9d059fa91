/** A hall in memory that behaves like the real one where the pads depend on it. */
import type { CurrentVisit, ItemView, RatingPadView, RatingRequest, TicketBrief, WindowView } from '@qingting/client';
import { HallConnection, HallError, memoryIdentity } from '@qingting/client';
import { FakeHall } from '@qingting/client/fake';
import { effectScope } from 'vue';
import { vi } from 'vitest';

export const soon = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

export const COUNTS = { served: 12, no_show: 1, serving_seconds: 4320, ratings: 9, bad_ratings: 1, not_rated: 2 };

export function brief(number: string): TicketBrief {
  return {
    ticket: `2026-11-23-social-${number}`,
    number,
    item_name: '社会保障卡申领',
    item_name_en: 'Social security card',
    since: Date.now() - 300_000,
    masked_name: '王*明',
    priority: 'ordinary',
    priority_name: '普通',
    priority_name_en: 'Ordinary',
    booked: null,
    late: false,
    party: 1,
    items: 1,
    returned: '',
    told: null,
    until: null,
    reason: '',
    sent: false,
  };
}

export function visit(number: string, state: 'called' | 'serving'): CurrentVisit {
  return {
    ticket: brief(number).ticket,
    number,
    state,
    item: 'social-card',
    item_name: '社会保障卡申领',
    item_name_en: 'Social security card',
    department_name: '人力资源和社会保障局',
    department_name_en: 'Human Resources Bureau',
    masked_name: '王*明',
    masked_number: '230602********1234',
    issued_at: Date.now() - 900_000,
    called_at: Date.now() - 60_000,
    since: Date.now() - 60_000,
    calls: 1,
    reason: 'longest_waiting',
    materials: ['居民身份证原件', '近期一寸白底照片'],
    materials_en: ['Identity card', 'Recent one-inch photograph'],
    why: {},
    priority: 'ordinary',
    priority_name: '普通',
    priority_name_en: 'Ordinary',
    proof: '',
    proof_en: '',
    booked: null,
    late: false,
    party: 1,
    todo: [],
    note: '',
    back_to: '',
    waiver: '',
    misses: 0,
    recall_at: 0,
    told: null,
    face_check: null,
  };
}

export function windowView(change: Partial<WindowView> = {}): WindowView {
  return {
    view: 'window',
    id: 'w3',
    number: '3',
    name: '社保综合',
    name_en: 'Social security',
    state: 'open',
    staff: 's1',
    staff_name: '李静',
    pause_reason: '',
    visit: null,
    waiting: 0,
    queue: [],
    counts: COUNTS,
    away: [],
    missed: [],
    permissions: [],
    queues: ['social'],
    lent: [],
    lent_until: null,
    on_shift: '',
    next: null,
    next_reason: '',
    next_why: {},
    elsewhere: 0,
    ...change,
  };
}

/** A hall with one window whose queue, calls and services work as the contract says. */
export class WorkingHall extends FakeHall {
  loggedIn = true;
  waiting: string[] = ['A023', 'A024'];
  view = windowView();

  constructor() {
    super();
    this.enrol('pad-1', { key: 'secret-of-pad', role: 'call_pad', name: '3号窗口呼叫平板' });
    this.show({});
    this.onRequest('staff.login', (body) => {
      if (body.password === 'once-only' && body.new === undefined) throw new HallError('staff.password_once');
      if (body.password === 'once-only' && (body.new ?? '').length < 10) throw new HallError('login.password_weak');
      if (body.password !== 'right-password' && body.password !== 'once-only') throw new HallError('staff.wrong_password', { left: 4 });
      this.loggedIn = true;
      return { staff: 's1', staff_name: '李静' };
    });
    this.onRequest('window.take', () => {
      this.mustKnow();
      this.show({ state: 'open', staff: 's1', staff_name: '李静', pause_reason: '' });
      return { window: 'w3' };
    });
    this.onRequest('call.next', () => {
      this.mustKnow();
      if (this.view.visit !== null) throw new HallError('window.busy', { number: this.view.visit.number });
      const number = this.waiting.shift();
      if (number === undefined) throw new HallError('call.nobody_waiting');
      this.show({ visit: visit(number, 'called') });
      return { number };
    });
    this.onRequest('service.begin', () => this.move('serving'));
    this.onRequest('service.finish', () => this.move(null));
    this.onRequest('call.no_show', () => this.move(null));
    this.onRequest('call.recall', () => this.move('called'));
    this.onRequest('window.rest', (body) => {
      this.mustKnow();
      this.show({ state: 'paused', pause_reason: body.reason ?? '' });
      return undefined;
    });
    this.onRequest('window.leave', () => {
      this.mustKnow();
      this.show({ state: 'closed', staff: null, staff_name: '' });
      return undefined;
    });
  }

  show(change: Partial<WindowView>): void {
    const queue = this.waiting.map(brief);
    const [first] = queue;
    const next = { next: first?.ticket ?? null, next_reason: 'longest_waiting', next_why: { minutes: 5 } };
    this.view = { ...this.view, waiting: queue.length, queue, ...next, ...change };
    this.set('window:w3', 'window', this.view);
    const { id, number, name, name_en, state, staff, staff_name, pause_reason, queues } = this.view;
    const ticket_number = this.view.visit?.number ?? '';
    const one = { id, number, name, name_en, state, staff, staff_name, pause_reason, ticket_number, queues };
    const planned = { planned: null, planned_name: '' };
    this.set('windows', id, { view: 'window_brief', ...one, ...planned, waiting: queue.length, served: 0 });
  }

  /** Stops and comes back without its memory of who was logged in. */
  restart(): void {
    this.loggedIn = false;
    this.drop();
  }

  private mustKnow(): void {
    if (!this.loggedIn) throw new HallError('hub.not_logged_in');
  }

  private move(to: 'called' | 'serving' | null): undefined {
    this.mustKnow();
    const { visit: current } = this.view;
    if (current === null) throw new HallError('window.idle');
    this.show({ visit: to === null ? null : { ...current, state: to } });
    return undefined;
  }
}

export function connectTo(hall: FakeHall, device: string, key: string): HallConnection {
  return new HallConnection({
    identity: memoryIdentity({ device, key }),
    url: 'ws://hall/hub',
    openSocket: hall.openSocket,
    random: () => 0.5,
  });
}

/** Runs a composable as a component would, and ends it like one. */
export function mount<T>(make: () => T): { readonly it: T; readonly end: () => void } {
  const scope = effectScope();
  const it = scope.run(make);
  if (it === undefined) throw new Error('the scope gave nothing');
  return { it, end: () => scope.stop() };
}

export function ratingRequest(number: string, seconds = 60): RatingRequest {
  return {
    ticket: brief(number).ticket,
    number,
    item_name: '社会保障卡申领',
    item_name_en: 'Social security card',
    until: Date.now() + seconds * 1000,
    case: `case-${number}`,
  };
}

export function padView(request: RatingRequest | null): RatingPadView {
  return {
    view: 'rating_pad',
    window: 'w3',
    window_number: '3',
    window_name: '社保综合',
    window_name_en: 'Social security',
    state: 'open',
    clerk_name: '李静',
    clerk_number: '1023',
    clerk_photo: '',
    serving_number: '',
    request,
  };
}

export function item(id: string, name: string, pinyin = '', initials = '', needsIdentity = false): ItemView {
  return {
    id,
    name,
    name_en: id,
    department: 'rsj',
    queue: 'social',
    materials: [],
    materials_en: [],
    promised_days: 0,
    legal_basis: '',
    legal_basis_en: '',
    needs_identity: needsIdentity,
    hot: false,
    pinyin,
    initials,
    offered: true,
    why: '',
    why_params: {},
    sample: false,
    group: '',
    party_max: 20,
    face_check: false,
  };
}
