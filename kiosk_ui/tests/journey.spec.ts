import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HallError } from '@qingting/client';
import type { Journey } from '../src/features/ticket/store';
import { READER_TIMEOUT_MS, useJourney } from '../src/features/ticket/store';
import type { Bench } from './support';
import { CARD, bench, soon } from './support';

const RENEW = { id: 'id-renew', needs_identity: true };
const FREE = { id: 'id-lost', needs_identity: false };

let b: Bench<Journey>;
let journey: Journey;

beforeEach(async () => {
  vi.useFakeTimers();
  b = await bench((connection) => useJourney(connection, () => 'zh-CN'));
  journey = b.made;
});

afterEach(() => {
  b.stop();
  vi.useRealTimers();
});

async function toConfirm(): Promise<void> {
  await journey.proceed(RENEW);
  await journey.beginIdentity('take');
  b.hall.push(CARD);
  await soon();
}

function takes(): { key: string | null | undefined; identity: unknown }[] {
  return b.hall.asked.flatMap(({ body, key }) =>
    body.type === 'ticket.take' ? [{ key, identity: body.identity }] : [],
  );
}

describe('taking a number with an identity card', () => {
  it('goes privacy → identity → confirm → number', async () => {
    await journey.proceed(RENEW);
    expect(journey.step.value.name).toBe('privacy');
    const begun = journey.beginIdentity('take');
    expect(journey.step.value).toMatchObject({ name: 'identity', phase: 'arming' });
    await begun;
    expect(journey.step.value).toMatchObject({ phase: 'waiting' });
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value.name).toBe('confirm');
    expect(journey.draft.value).toMatchObject({ items: ['id-renew'], identity: { masked_name: '王*民' } });
    await journey.confirm();
    expect(journey.step.value).toMatchObject({ name: 'ticket', number: 'A023', source: 'taken' });
    expect(takes()).toMatchObject([{ identity: 'token-1' }]);
  });

  it('keeps nothing of the person once the number is there', async () => {
    await toConfirm();
    await journey.confirm();
    expect(JSON.stringify([journey.step.value, journey.trail.value, journey.draft.value])).not.toMatch(/王|230602|token-1/);
  });

  it('tells the hall to forget when the citizen goes back or home with a read card', async () => {
    await toConfirm();
    journey.back();
    await soon();
    expect(journey.step.value.name).toBe('privacy');
    expect(b.hall.count('identity.end')).toBe(1);
    await toConfirm();
    journey.reset();
    await soon();
    expect(b.hall.count('identity.end')).toBe(2);
    expect(journey.step.value).toEqual({ name: 'home' });
  });

  it('says why a card was refused and still takes the next one', async () => {
    await journey.beginIdentity('take');
    b.hall.push({ type: 'identity.refused', problem: { code: 'identity.removed', params: {} }, waiting: true });
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'waiting', problem: { code: 'identity.removed' } });
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value.name).toBe('confirm');
  });

  it('shows that a citizen code is being checked, says what is wrong with it and takes what comes next', async () => {
    b.hall.push({ type: 'identity.checking', way: 'code' });
    await soon();
    expect(journey.step.value.name).toBe('home');
    await journey.beginIdentity('take');
    b.hall.push({ type: 'identity.checking', way: 'code' });
    await soon();
    expect(journey.step.value).toMatchObject({ name: 'identity', phase: 'checking' });
    b.hall.push({ type: 'identity.refused', problem: { code: 'citizen_code.expired', params: {} }, waiting: true });
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'waiting', problem: { code: 'citizen_code.expired' } });
    b.hall.push({ type: 'identity.checking', way: 'code' });
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'checking', problem: null });
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value.name).toBe('confirm');
  });

  it('opens the camera only while somebody is waited for and only when pressed, and says how the look ended', async () => {
    await journey.lookForFace(true);
    expect(b.hall.count('face.look')).toBe(0);
    await journey.beginIdentity('take');
    expect(b.hall.count('face.look')).toBe(0);
    await journey.lookForFace(true);
    await journey.lookForFace(true);
    expect(b.hall.count('face.look')).toBe(1);
    expect(journey.step.value).toMatchObject({ phase: 'looking' });
    b.hall.push({ type: 'identity.refused', problem: { code: 'face.not_recognised', params: {} }, waiting: true });
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'waiting', problem: { code: 'face.not_recognised' } });
    await journey.lookForFace(true);
    await journey.lookForFace(false);
    expect(b.hall.count('face.look')).toBe(3);
    expect(journey.step.value).toMatchObject({ phase: 'waiting', problem: null });
    b.hall.onRequest('face.look', () => {
      throw new HallError('face.not_offered');
    });
    await journey.lookForFace(true);
    expect(journey.step.value).toMatchObject({ phase: 'waiting', problem: { code: 'face.not_offered' } });
    b.hall.push({ type: 'identity.checking', way: 'face' });
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'checkingFace' });
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value.name).toBe('confirm');
  });

  it('needs a press again when the hall has stopped waiting', async () => {
    await journey.beginIdentity('take');
    b.hall.push({ type: 'identity.refused', problem: { code: 'identity.reader_fault', params: {} }, waiting: false });
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'refused' });
  });

  it('goes on with the chosen item after a citizen code that came too early', async () => {
    const early = { type: 'code.refused', problem: { code: 'code.pick_first', params: {} } } as const;
    journey.go({ name: 'item', item: 'id-renew' });
    b.hall.push(early);
    await soon();
    expect(journey.step.value.name).toBe('scan-refused');
    journey.back();
    expect(journey.step.value).toEqual({ name: 'item', item: 'id-renew' });
  });

  it('says that the reader is out when the hall refuses to light it', async () => {
    b.hall.onRequest('identity.begin', () => {
      throw new HallError('identity.no_reader');
    });
    await journey.beginIdentity('take');
    expect(journey.step.value).toMatchObject({ phase: 'refused', problem: { code: 'identity.no_reader' } });
  });

  it('switches the reader off after a minute without a card, and ignores a card after that', async () => {
    await journey.beginIdentity('take');
    await soon(READER_TIMEOUT_MS);
    expect(journey.step.value).toMatchObject({ name: 'identity', phase: 'timeout' });
    expect(b.hall.count('identity.end')).toBe(1);
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'timeout' });
  });

  it('ignores a card that is read when nobody asked for it', async () => {
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value).toEqual({ name: 'home' });
  });

  it('lights the reader again after the hall server came back', async () => {
    await journey.beginIdentity('take');
    b.hall.drop();
    await soon(1_000);
    expect(b.hall.count('identity.begin')).toBe(2);
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value.name).toBe('confirm');
  });

  it('asks for the card again when its identity has run out', async () => {
    b.hall.onRequest('ticket.take', () => {
      throw new HallError('identity.token_expired');
    });
    await toConfirm();
    await journey.confirm();
    expect(journey.step.value).toMatchObject({ name: 'failed', problem: { code: 'identity.token_expired' } });
    await journey.beginIdentity('take');
    expect(journey.step.value).toMatchObject({ name: 'identity', phase: 'waiting' });
  });
});

describe('one press, one ticket', () => {
  it('takes one number for two quick presses', async () => {
    await toConfirm();
    await Promise.all([journey.confirm(), journey.confirm()]);
    expect(takes()).toHaveLength(1);
  });

  it.each(['before', 'after'] as const)(
    'takes one number when the line drops %s the hall took it',
    async (when) => {
      b.hall.dropAtNextAsk(when);
      const pressed = journey.proceed(FREE);
      await soon(1_000);
      await pressed;
      expect(journey.step.value).toMatchObject({ name: 'ticket', number: 'A023' });
      expect(new Set(takes().map(({ key }) => key)).size).toBe(1);
      expect([...b.hall.entries('kiosk:k1').keys()].filter((key) => key.startsWith('ticket:'))).toHaveLength(1);
    },
  );

  it('repeats a press that got no answer with the same key', async () => {
    b.hall.down = true;
    b.hall.drop();
    const pressed = journey.proceed(FREE);
    await soon(15_000);
    await pressed;
    expect(journey.step.value).toMatchObject({ name: 'failed', retryable: true, problem: { code: 'hub.no_answer' } });
    b.hall.down = false;
    await soon(9_000);
    await journey.retry();
    expect(journey.step.value).toMatchObject({ name: 'ticket', number: 'A023' });
  });

  it('uses a new key for a new press on the same item', async () => {
    await journey.proceed(FREE);
    journey.reset();
    await journey.proceed(FREE);
    expect(new Set(takes().map(({ key }) => key)).size).toBe(2);
    expect(journey.step.value).toMatchObject({ number: 'A024' });
  });

  it('does not bring the number of a citizen who left onto the next one’s screen', async () => {
    const pressed = journey.proceed(FREE);
    journey.reset();
    await pressed;
    expect(journey.step.value).toEqual({ name: 'home' });
  });
});

describe('refusals', () => {
  it('offers no retry for what cannot succeed', async () => {
    b.hall.onRequest('ticket.take', () => {
      throw new HallError('ticket.queue_closed', { queue: '户籍', reason: '停电' });
    });
    await journey.proceed(FREE);
    expect(journey.step.value).toMatchObject({ name: 'failed', retryable: false, problem: { params: { reason: '停电' } } });
  });
});

describe('a scanned ticket', () => {
  it('shows its place and can be printed again', async () => {
    b.hall.push({ type: 'code.found', ticket: 't9', number: 'B007' });
    await soon();
    expect(journey.step.value).toMatchObject({ name: 'ticket', source: 'scanned', number: 'B007' });
    await journey.reprint();
    expect(b.hall.count('ticket.reprint')).toBe(1);
    expect(journey.step.value).toMatchObject({ asking: null, problem: null });
  });

  it('says what is wrong with a code that is no ticket of today', async () => {
    b.hall.push({ type: 'code.refused', problem: { code: 'code.unknown', params: {} } });
    await soon();
    expect(journey.step.value).toMatchObject({ name: 'scan-refused', problem: { code: 'code.unknown' } });
  });

  it('does not push away a press that is under way', async () => {
    const pressed = journey.proceed(FREE);
    b.hall.push({ type: 'code.found', ticket: 't9', number: 'B007' });
    await pressed;
    await soon();
    expect(takes()).toHaveLength(1);
    expect(journey.step.value.name).toBe('ticket');
  });

  it('says why a reprint was refused and keeps the number', async () => {
    b.hall.onRequest('ticket.reprint', () => {
      throw new HallError('print.running', { number: 'B007' });
    });
    b.hall.push({ type: 'code.found', ticket: 't9', number: 'B007' });
    await soon();
    await journey.reprint();
    expect(journey.step.value).toMatchObject({ number: 'B007', problem: { code: 'print.running' } });
  });
});

describe('back', () => {
  it('returns the way one came', async () => {
    journey.go({ name: 'departments' });
    journey.go({ name: 'items', department: 'gaj' });
    journey.go({ name: 'item', item: 'id-renew' });
    journey.back();
    expect(journey.step.value).toEqual({ name: 'items', department: 'gaj' });
    journey.back();
    journey.back();
    journey.back();
    expect(journey.step.value).toEqual({ name: 'home' });
  });
});

const BOOKING = {
  id: 'b-1',
  start: 1_795_000_000_000,
  end: 1_795_001_800_000,
  items: ['passport', 'hk-pass'],
  masked_name: '王*民',
  masked_number: '230602********1238',
  party: 2,
  problem: null,
  late: false,
} as const;

function taken(): readonly unknown[] {
  return b.hall.asked.flatMap(({ body }) => (body.type === 'ticket.take' ? [body] : []));
}

describe('several items on one number', () => {
  it('are taken with one press, in the order in which they were chosen, with one card', async () => {
    await toConfirm();
    journey.addMore();
    journey.go({ name: 'items', department: 'gaj' });
    journey.go({ name: 'item', item: 'passport' });
    await journey.proceed({ id: 'passport', needs_identity: true });
    expect(journey.step.value.name).toBe('confirm');
    expect(b.hall.count('identity.begin')).toBe(1);
    expect(b.hall.count('identity.end')).toBe(0);
    await journey.confirm();
    expect(taken()).toMatchObject([{ item: 'id-renew', more: ['passport'], identity: 'token-1' }]);
  });

  it('are five at most, each once', async () => {
    journey.review(FREE);
    for (const id of ['a', 'b', 'b', 'c', 'd', 'e']) {
      journey.addMore();
      await journey.proceed({ id, needs_identity: false });
    }
    expect(journey.draft.value.items).toEqual(['id-lost', 'a', 'b', 'c', 'd']);
  });

  it('can be undone one by one, by "back" too, but never all', async () => {
    journey.review(FREE);
    journey.addMore();
    await journey.proceed({ id: 'social-card', needs_identity: false });
    expect(journey.draft.value.items).toEqual(['id-lost', 'social-card']);
    journey.back();
    expect(journey.step.value.name).toBe('confirm');
    expect(journey.draft.value.items).toEqual(['id-lost']);
    journey.drop('id-lost');
    expect(journey.draft.value.items).toEqual(['id-lost']);
  });

  it('asks for the card when only the second item needs one', async () => {
    journey.review(FREE);
    journey.addMore();
    await journey.proceed(RENEW);
    expect(journey.step.value).toEqual({ name: 'privacy', purpose: 'take' });
    await journey.beginIdentity('take');
    b.hall.push(CARD);
    await soon();
    await journey.confirm();
    expect(taken()).toMatchObject([{ item: 'id-lost', more: ['id-renew'], identity: 'token-1' }]);
  });

  it('keeps the list when the citizen decides against a further item', async () => {
    await toConfirm();
    journey.addMore();
    journey.go({ name: 'search' });
    journey.enough();
    expect(journey.step.value.name).toBe('confirm');
    expect(journey.draft.value.items).toEqual(['id-renew']);
    journey.back();
    expect(journey.step.value.name).toBe('privacy');
    await soon();
    expect(b.hall.count('identity.end')).toBe(1);
    expect(journey.draft.value.identity).toBeNull();
  });

  it('forgets company and claim with the citizen', async () => {
    await toConfirm();
    journey.bring(4);
    journey.claim('soldier');
    await journey.confirm();
    expect(taken()).toMatchObject([{ party: 4, priority: 'soldier' }]);
    journey.reset();
    await journey.proceed(FREE);
    expect(taken()[1]).toMatchObject({ item: 'id-lost', more: [], party: 1, priority: 'ordinary' });
  });
});

describe('a booked visitor', () => {
  it('takes the number of a scanned code with one press, without a card', async () => {
    b.hall.push({ type: 'booking.found', booking: BOOKING });
    await soon();
    expect(journey.step.value).toMatchObject({ name: 'bookings', by: 'code', bookings: [{ id: 'b-1' }] });
    await journey.takeBooking(BOOKING);
    expect(taken()).toMatchObject([
      { item: 'passport', party: 2, booking: 'b-1', identity: null },
    ]);
    expect(journey.step.value).toMatchObject({ name: 'ticket', source: 'taken' });
  });

  it('finds the bookings of a card, also when there are none', async () => {
    journey.go({ name: 'booking-door' });
    journey.go({ name: 'privacy', purpose: 'booking' });
    await journey.beginIdentity('booking');
    b.hall.push({ ...CARD, bookings: [BOOKING] });
    await soon();
    expect(journey.step.value).toMatchObject({ name: 'bookings', by: 'card', bookings: [{ id: 'b-1' }] });
    journey.back();
    expect(journey.step.value).toEqual({ name: 'privacy', purpose: 'booking' });
    await journey.beginIdentity('booking');
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value).toMatchObject({ name: 'bookings', bookings: [] });
  });

  it('forgets the bookings when the citizen leaves', async () => {
    b.hall.push({ type: 'booking.found', booking: BOOKING });
    await soon();
    journey.reset();
    await soon();
    expect(b.hall.count('identity.end')).toBe(1);
    expect(JSON.stringify([journey.step.value, journey.trail.value])).not.toMatch(/王|b-1/);
  });
});

describe('who holds a number already', () => {
  it('is shown that ticket instead of a second one, and may print it again', async () => {
    b.hall.onRequest('ticket.take', () => {
      throw new HallError('ticket.repeat_open', { item: '换领', number: 'A007', ticket: 't7' });
    });
    await toConfirm();
    await journey.confirm();
    const failed = journey.step.value;
    if (failed.name !== 'failed') throw new Error(failed.name);
    journey.showFormer(failed.problem);
    await soon();
    expect(journey.step.value).toMatchObject({ name: 'ticket', number: 'A007', source: 'scanned' });
    expect(b.hall.count('identity.end')).toBe(0);
    journey.reset();
    await soon();
    expect(b.hall.count('identity.end')).toBe(1);
  });
});

describe('a visitor who is back', () => {
  it.each([
    ['comeBack', 'ticket.return'],
    ['leaveLine', 'ticket.leave'],
  ] as const)('%s is asked once for the ticket that was scanned', async (act, request) => {
    b.hall.push({ type: 'code.found', ticket: 't9', number: 'B007' });
    await soon();
    await Promise.all([journey[act](), journey[act]()]);
    expect(b.hall.asked.filter(({ body }) => body.type === request).map(({ body }) => body)).toEqual([
      { type: request, ticket: 't9' },
    ]);
  });

  it('is told why the place is gone', async () => {
    b.hall.onRequest('ticket.return', () => {
      throw new HallError('ticket.no_second_chance', { number: 'B007', chances: 1, minutes: 60 });
    });
    b.hall.push({ type: 'code.found', ticket: 't9', number: 'B007' });
    await soon();
    await journey.comeBack();
    expect(journey.step.value).toMatchObject({ asking: null, problem: { code: 'ticket.no_second_chance' } });
  });
});
