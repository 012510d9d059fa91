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
    b.hall.push({ type: 'identity.refused', problem: { code: 'identity.removed', params: {} } });
    await soon();
    expect(journey.step.value).toMatchObject({ phase: 'refused', problem: { code: 'identity.removed' } });
    b.hall.push(CARD);
    await soon();
    expect(journey.step.value.name).toBe('confirm');
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
