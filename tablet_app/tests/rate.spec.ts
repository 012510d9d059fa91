import type { HallConnection, RatingLevel, Request, SubmitRating } from '@qingting/client';
import { HallError, tagsOf } from '@qingting/client';
import { FakeHall } from '@qingting/client/fake';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LEVELS, THANKS_MS, isBad, useRatingPad } from '../src/rate/store';
import type { RatingPad } from '../src/rate/store';
import { connectTo, mount, padView, ratingRequest, soon } from './support';

let hall: FakeHall;
let connection: HallConnection;
let pad: RatingPad;
let end: () => void;
const TOPIC = 'rating:w3';

function sentRatings(): SubmitRating[] {
  return hall.asked.map((ask) => ask.body).filter((body) => body.type === 'rating.submit');
}

function lastAsked(): Request | undefined {
  return hall.asked.map((ask) => ask.body).findLast((body) => body.type !== 'ping');
}

function firstTag(level: RatingLevel): string {
  const [tag] = tagsOf(level, 'zh-CN');
  if (tag === undefined) throw new Error(`no tag for ${level}`);
  return tag.code;
}

async function finishVisit(number = 'A023', seconds = 60): Promise<void> {
  hall.set(TOPIC, 'pad', padView(ratingRequest(number, seconds)));
  await soon();
}

beforeEach(async () => {
  vi.useFakeTimers();
  hall = new FakeHall().enrol('rate-3', { key: 'secret', role: 'rating_pad', name: '评价平板', window: 'w3' });
  hall.now = Date.now();
  const answered = () => {
    hall.set(TOPIC, 'pad', padView(null));
    return undefined;
  };
  hall.onRequest('rating.submit', answered).onRequest('rating.decline', answered);
  hall.set(TOPIC, 'pad', padView(null));
  connection = connectTo(hall, 'rate-3', 'secret');
  ({ it: pad, end } = mount(() => useRatingPad(connection)));
  connection.start();
  await soon();
});

afterEach(() => {
  end();
  connection.stop();
  vi.useRealTimers();
});

describe('a finished visit', () => {
  it('asks by itself, without a level chosen before', async () => {
    expect(pad.step.value).toEqual({ at: 'idle' });
    await finishVisit();
    expect(pad.step.value).toMatchObject({ at: 'level', request: { number: 'A023' } });
  });

  it.each(LEVELS)('submits %s by the same two touches, plus a reason only where it is bad', async (level) => {
    await finishVisit();
    pad.choose(level);
    expect(pad.step.value).toMatchObject({ at: 'reason', draft: { level, tags: [], words: '' } });
    if (isBad(level)) pad.toggleTag(firstTag(level));
    void pad.submit();
    await soon();
    expect(sentRatings()).toEqual([
      expect.objectContaining({ level, tags: isBad(level) ? [firstTag(level)] : [] }),
    ]);
    expect(pad.step.value.at).toBe('thanks');
    await soon(THANKS_MS);
    expect(pad.step.value.at).toBe('idle');
  });

  it('sends a bad level only with a reason, and says so', async () => {
    await finishVisit();
    pad.choose('dissatisfied');
    void pad.submit();
    await soon();
    expect(sentRatings()).toEqual([]);
    expect(pad.step.value).toMatchObject({ at: 'reason', fault: { code: 'rating.reason_needed' } });
    pad.toggleTag(firstTag('dissatisfied'));
    expect(pad.step.value).toMatchObject({ fault: null });
    void pad.submit();
    await soon();
    expect(sentRatings()).toHaveLength(1);
  });

  it('drops the tags of the former level when another one is chosen, and keeps the words', async () => {
    await finishVisit();
    pad.choose('satisfied');
    pad.toggleTag(firstTag('satisfied'));
    pad.write('讲解清楚');
    pad.choose('dissatisfied');
    expect(pad.step.value).toMatchObject({ draft: { level: 'dissatisfied', tags: [], words: '讲解清楚' } });
  });

  it('keeps 150 characters of words', async () => {
    await finishVisit();
    pad.choose('satisfied');
    pad.write('好'.repeat(160));
    expect(pad.step.value).toMatchObject({ draft: { words: '好'.repeat(150) } });
  });

  it('is not rated when the citizen skips', async () => {
    await finishVisit();
    void pad.skip();
    await soon();
    expect(lastAsked()).toMatchObject({ type: 'rating.decline', reason: 'declined' });
    expect(sentRatings()).toEqual([]);
    expect(pad.step.value).toEqual({ at: 'thanks', outcome: 'skipped' });
  });
});

describe('silence', () => {
  it('of 60 seconds means not rated, whatever was chosen but not sent', async () => {
    await finishVisit();
    pad.choose('very_satisfied');
    await soon(46_000);
    expect(pad.countdown.value).toBeLessThanOrEqual(15);
    await soon(15_000);
    expect(lastAsked()).toMatchObject({ type: 'rating.decline', reason: 'timeout' });
    expect(sentRatings()).toEqual([]);
    expect(pad.step.value.at).toBe('idle');
  });

  it('starts anew with every touch', async () => {
    await finishVisit();
    await soon(50_000);
    pad.touch();
    await soon(50_000);
    expect(pad.step.value.at).toBe('level');
    expect(hall.count('rating.decline')).toBe(0);
    await soon(11_000);
    expect(hall.count('rating.decline')).toBe(1);
  });

  it('is over at once when the pad starts after the time has passed', async () => {
    await finishVisit('A023', -5);
    await soon();
    expect(pad.step.value.at).toBe('idle');
    expect(lastAsked()).toMatchObject({ type: 'rating.decline', reason: 'timeout' });
  });
});

describe('when something is in the way', () => {
  it('gives one rating when the line breaks before the answer', async () => {
    await finishVisit();
    pad.choose('satisfied');
    hall.dropAtNextAsk('after');
    void pad.submit();
    await soon(3_000);
    expect(pad.step.value.at).toBe('thanks');
    const keys = hall.asked.filter((ask) => ask.body.type === 'rating.submit').map((ask) => ask.key);
    expect(keys.length).toBe(2);
    expect(new Set(keys).size).toBe(1);
  });

  it('says kindly that the visit is rated already, and lets go', async () => {
    hall.onRequest('rating.submit', () => {
      throw new HallError('rating.already');
    });
    await finishVisit();
    pad.choose('satisfied');
    void pad.submit();
    await soon();
    expect(pad.step.value).toMatchObject({ at: 'notice', problem: { code: 'rating.already' } });
    await soon(10_000);
    expect(pad.step.value.at).toBe('idle');
  });

  it('keeps what was chosen when the hall cannot store it, and sends it again with the same key', async () => {
    let full = true;
    hall.onRequest('rating.submit', () => {
      if (full) throw new HallError('store.unavailable');
      return undefined;
    });
    await finishVisit();
    pad.choose('satisfied');
    pad.write('讲解清楚');
    void pad.submit();
    await soon();
    expect(pad.step.value).toMatchObject({
      at: 'reason',
      draft: { level: 'satisfied', words: '讲解清楚' },
      fault: { code: 'store.unavailable' },
    });
    full = false;
    void pad.submit();
    await soon();
    const keys = hall.asked.filter((ask) => ask.body.type === 'rating.submit').map((ask) => ask.key);
    expect(new Set(keys).size).toBe(1);
  });

  it('tells the citizen when the hall closed the request under their hands', async () => {
    await finishVisit();
    pad.touch();
    pad.choose('satisfied');
    hall.set(TOPIC, 'pad', padView(null));
    await soon();
    expect(pad.step.value).toEqual({ at: 'notice', problem: 'ended' });
  });

  it('turns to the next visit when the clerk has finished one more', async () => {
    await finishVisit('A023');
    await finishVisit('A024');
    expect(pad.step.value).toMatchObject({ at: 'level', request: { number: 'A024' } });
  });
});
