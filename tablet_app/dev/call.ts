import type { WindowView } from '@qingting/client';
import CallApp from '../src/call/CallApp.vue';
import '../src/call/call.css';
import type { Seat } from '../src/call/seat';
import { startPad } from '../src/shared/start';
import { fillDay, fillLists, richView, richVisit } from './lists';
import { SCAN_SAMPLE } from './scan';
import { connect, fillWindows, visit, windowView, workingHall } from './hall';

const asked = new URLSearchParams(location.search);
const scene = asked.get('scene') ?? 'idle';
const clerk = { staff: 's1', name: '李静', number: '1023' };
const DESK: Seat = { at: 'desk', clerk, window: 'w3' };
const SEATS: Readonly<Record<string, Seat | null>> = {
  pairing: null,
  login: null,
  relogin: DESK,
  windows: { at: 'choosing', clerk, last: 'w3' },
};
const VIEWS: Readonly<Record<string, () => WindowView>> = {
  closed: () => windowView({ state: 'closed', staff: null, staff_name: '' }),
  nobody: () => windowView({}, 0),
  called: () => windowView({ visit: visit('called', 2) }),
  serving: () => windowView({ visit: visit('serving') }, 17),
  paused: () => windowView({ state: 'paused', pause_reason: '午间休息' }),
  rich: () => richView(),
  richCalled: () => richView({ visit: richVisit('called') }),
  richServing: () => richView({ visit: richVisit('serving') }),
  taken: () => windowView({ staff: 's9', staff_name: '赵强' }),
};

const seat = scene in SEATS ? SEATS[scene] : DESK;
if (seat) localStorage.setItem('qingting.tablet.seat', JSON.stringify(seat));
else localStorage.removeItem('qingting.tablet.seat');
localStorage.setItem('qingting.tablet.theme', asked.get('theme') ?? 'day');
localStorage.setItem('qingting.tablet.call.language', asked.get('lang') ?? 'zh-CN');

const hall = workingHall((VIEWS[scene] ?? (() => windowView()))());
fillWindows(hall, scene === 'relogin');
fillLists(hall);
fillDay(hall, Number(asked.get('pressure') ?? 62));
if (scene === 'relogin') {
  const { HallError } = await import('@qingting/client');
  hall.onRequest('window.take', () => {
    throw new HallError('hub.not_logged_in');
  });
}
hall.onRequest('staff.scan', () => {
  const { url, modules } = SCAN_SAMPLE;
  return { scan: { url, modules, until: Date.now() + 180_000 } };
});
hall.onRequest('ticket.make', () => ({ number: 'A031' }));
if (scene === 'help') {
  hall.set('help', 'k1', { view: 'help', device: 'k1', name: '1号取号机', since: Date.now() - 95_000 });
  hall.set('help', 'k2', { view: 'help', device: 'k2', name: '2号取号机', since: Date.now() - 5_000 });
}
startPad(CallApp, 'call_pad', connect(hall, 'pad-3', scene !== 'pairing'));
if (scene === 'offline') {
  setTimeout(() => {
    hall.down = true;
    hall.drop();
  }, 1_000);
}
