import type { RatingPadView } from '@qingting/client';
import { HallError } from '@qingting/client';
import { FakeHall } from '@qingting/client/fake';
import RateApp from '../src/rate/RateApp.vue';
import { startPad } from '../src/shared/start';
import { ITEMS, connect, padView } from './hall';

const asked = new URLSearchParams(location.search);
const scene = asked.get('scene') ?? 'ask';
const seconds = Number(asked.get('seconds') ?? 60);
const [zh, en] = ITEMS[0] ?? ['', ''];
const VIEWS: Readonly<Record<string, () => RatingPadView>> = {
  idle: () => padView(),
  free: () => padView({ serving_number: '' }),
  paused: () => padView({ state: 'paused', serving_number: '' }),
  closed: () => padView({ state: 'closed', clerk_name: '', clerk_number: '', serving_number: '' }),
  ask: () =>
    padView({
      serving_number: '',
      request: {
        ticket: 't23',
        number: 'A023',
        item_name: zh,
        item_name_en: en,
        until: Date.now() + seconds * 1_000,
        case: 'case-23',
      },
    }),
};

const hall = new FakeHall().enrol('rate-3', { key: 'preview', role: 'rating_pad', name: '评价平板', window: 'w3' });
hall.set('rating:w3', 'pad', (VIEWS[scene] ?? (() => padView()))());
const done = (): undefined => {
  hall.set('rating:w3', 'pad', padView({ serving_number: '' }));
  return undefined;
};
hall.onRequest('rating.decline', done);
hall.onRequest('rating.submit', () => {
  if (asked.has('already')) throw new HallError('rating.already');
  return done();
});
startPad(RateApp, 'rating_pad', connect(hall, 'rate-3'));
