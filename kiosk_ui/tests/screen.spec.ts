import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { STANDARD, readBlocks, touchRows } from '../src/app/screen';
import { useHall } from '../src/app/hall';
import * as sample from '../src/dev/sample';
import { bench, soon } from './support';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('the screen of a template', () => {
  it('keeps what is only read above what is touched, each in its own order', () => {
    const screen = { ...STANDARD, blocks: ['hot', 'scan', 'search', 'queues', 'take'] as const };
    expect(readBlocks(screen)).toEqual(['scan', 'queues']);
    expect(touchRows(screen)).toEqual([['hot'], ['search'], ['take']]);
  });

  it('puts the two smaller ways in side by side when they are neighbours', () => {
    expect(touchRows(STANDARD)).toEqual([['take'], ['booking', 'search'], ['hot']]);
  });

  it('offers only what the kiosk offers, and still knows every item by name', async () => {
    const b = await bench((connection) => useHall(connection));
    const now = b.hall.now;
    b.hall.set('kiosk:k1', 'kiosk', {
      ...sample.kiosk(now),
      screen: { ...STANDARD, items: ['pension'] },
    });
    await soon();
    expect(b.made.items.value.map((item) => item.id)).toEqual(['pension']);
    expect(b.made.departments.value.map(({ id, items }) => [id, items])).toEqual([['rsj', 1]]);
    expect(b.made.item('passport')).not.toBeNull();
    b.stop();
  });
});
