/**
 * A hall in memory behind the real screens, for looking at them without a server. Only in the
 * `preview` bundle and in tests. `window.__hall` lets a script play printer, card and clerk.
 */
import type { DeviceKind } from '@qingting/client';
import { HallConnection, memoryIdentity } from '@qingting/client';
import { FakeHall } from '@qingting/client/fake';
import * as sample from './sample';

declare global {
  interface Window {
    __hall?: { hall: FakeHall; sample: typeof sample };
  }
}

/** A hall with one kiosk and one board, its catalogue and queues. */
export function previewHall(): FakeHall {
  const hall = new FakeHall()
    .enrol('k1', { key: 'preview-kiosk', role: 'kiosk', name: '1号取号机' }, '48291307')
    .enrol('board-1', { key: 'preview-board', role: 'board', name: '等候区大屏' }, '48291308');
  const { now } = hall;
  hall.set('hall', 'info', {
    view: 'hall',
    id: 'saertu',
    name: '大庆市萨尔图区政务服务大厅',
    name_en: 'Sartu District Government Service Hall',
    day: '2026-11-23',
    notice: '',
    notice_en: '',
    city_link: true,
  });
  hall.set('catalogue', 'departments', { view: 'departments', departments: sample.departments });
  hall.set('catalogue', 'items', { view: 'items', items: sample.items });
  hall.set('catalogue', 'classes', { view: 'classes', classes: sample.classes, every: sample.classes });
  for (const queue of sample.queues) hall.set('queues', queue.id, queue);
  hall.set('kiosk:k1', 'kiosk', sample.kiosk(now));
  hall.set('board:board-1', 'screen', sample.boardScreen(now, '今天 16:30 停止取号，请合理安排时间。'));
  hall.set('board:board-1', 'earlier', { view: 'board_earlier', calls: [] });
  hall.set('board:board-1', 'sound', { view: 'board_sound', quiet: false, volume: 80 });
  let taken = 0;
  hall.onRequest('ticket.take', (body) => {
    taken += 1;
    const number = `A${String(taken + 22).padStart(3, '0')}`;
    const id = `2026-11-23-ga-${taken}`;
    hall.set('kiosk:k1', `ticket:${id}`, sample.ticket(id, number, body.item, hall.now));
    return { ticket: id, number };
  });
  return hall;
}

/** A connection to {@link previewHall}; paired unless the address says `?fake=unpaired`. */
export function previewConnection(kind: DeviceKind): HallConnection {
  const hall = previewHall();
  window.__hall = { hall, sample };
  const paired = new URLSearchParams(location.search).get('fake') !== 'unpaired';
  const own =
    kind === 'board'
      ? { device: 'board-1', key: 'preview-board' }
      : { device: 'k1', key: 'preview-kiosk' };
  const identity = memoryIdentity(paired ? own : null);
  return new HallConnection({ identity, openSocket: hall.openSocket, url: 'preview:' });
}
