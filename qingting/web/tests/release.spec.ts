import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Boot } from '../src/index';
import { HallConnection, followRelease, memoryIdentity } from '../src/index';
import type { Kept } from '../src/boot-rules';
import { MOST_TRIES, NOTHING, begun, failed, next, parse, started } from '../src/boot-rules';
import { FakeHall } from '../src/fake';

const A = 'a'.repeat(16);
const B = 'b'.repeat(16);

describe('the loader', () => {
  it('runs what came with the server until something else was begun', () => {
    expect(next(parse(null)).run).toBe('');
    expect(next(parse('nonsense')).run).toBe('');
    expect(next(parse('{"good":"../../etc"}')).run).toBe('');
  });

  it('keeps a release that started, and only that', () => {
    const tried = next(begun(NOTHING, A, 30));
    expect(tried.run).toBe(A);
    expect(next(started(tried.kept, A))).toMatchObject({ run: A, kept: { good: A, trial: null } });
  });

  it('goes back to the release before one that did not start, and does not take it again by itself', () => {
    const onA = started(next(begun(NOTHING, A, 30)).kept, A);
    const back = failed(next(begun(onA, B, 30)).kept, B);
    expect(next(back)).toMatchObject({ run: A, kept: { failed: B } });
  });

  it('goes back when a release freezes the page so that nobody can say anything', () => {
    let kept: Kept = begun(NOTHING, B, 30);
    for (let load = 0; load < MOST_TRIES; load += 1) kept = next(kept).kept;
    expect(next(kept)).toMatchObject({ run: '', kept: { failed: B } });
  });

  it('goes back to what came with the server when a release is damaged later', () => {
    expect(next(failed(started(NOTHING, A), A)).run).toBe('');
  });

  it('tries a failed release again when a person asks for it once more', () => {
    expect(next(begun(failed(begun(NOTHING, B, 30), B), B, 30))).toMatchObject({ run: B, kept: { failed: '' } });
  });
});

describe('a screen that is told of a release', () => {
  let hall: FakeHall;
  let end: () => void;
  let idle = true;
  const asked = (type: string): unknown[] => hall.asked.map((one) => one.body).filter((one) => one.type === type);
  const boot = { begin: vi.fn(), started: vi.fn(), prepare: vi.fn(() => Promise.resolve(true)) };
  const soon = (): Promise<unknown> => vi.advanceTimersByTimeAsync(2_100);

  async function page(running: string, broken = ''): Promise<void> {
    const connection = new HallConnection({
      identity: memoryIdentity({ device: 'k1', key: 'secret-of-k1' }),
      url: 'ws://hall/hub',
      openSocket: hall.openSocket,
    });
    const loader: Boot = { ...boot, running, failed: broken };
    const hands = { build: 'build-1', idle: () => idle, quietMs: () => 60_000, calmMs: 10_000 };
    end = followRelease(connection, hands, loader);
    connection.start();
    await soon();
  }

  function order(release: string, act = 'act-1'): void {
    const action = { do: 'release.use', release, start_s: 30, within_s: 600 } as const;
    hall.push({ type: 'act', act, device: 'k1', action, answer_by: Date.now() + 600_000, bundle: null });
  }

  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.clear();
    document.body.innerHTML = '<div id="app"><p>welcome</p></div>';
    idle = true;
    for (const one of Object.values(boot)) one.mockClear();
    hall = new FakeHall().enrol('k1', { key: 'secret-of-k1', role: 'kiosk', name: '1号取号机' });
    for (const type of ['act.told', 'act.going', 'runs.report'] as const) hall.onRequest(type, () => ({}));
  });

  afterEach(() => {
    end();
    vi.useRealTimers();
  });

  it('says what runs, and that it started once the hall answered', async () => {
    await page(A);
    expect(asked('runs.report')).toEqual([
      { type: 'runs.report', runs: { program: 'build-1', release: A, failed: '', bundle: '' } },
    ]);
    expect(boot.started).toHaveBeenCalled();
  });

  it('does not say that it started while nothing is on the screen', async () => {
    document.body.innerHTML = '<div id="app"></div>';
    await page(A);
    expect(boot.started).not.toHaveBeenCalled();
  });

  it('waits for a quiet moment, and says before it goes that it goes', async () => {
    idle = false;
    await page('');
    order(B);
    await soon();
    expect(boot.begin).not.toHaveBeenCalled();
    idle = true;
    await soon();
    expect(asked('act.going')).toEqual([{ type: 'act.going', act: 'act-1' }]);
    expect(boot.begin).toHaveBeenCalledWith(B, 30);
    end();
    await page(B);
    expect(asked('act.told')).toEqual([{ type: 'act.told', act: 'act-1', outcome: 'done', code: '' }]);
  });

  it('tells that a release did not start, and does not take it again because it is in force', async () => {
    await page('');
    order(B);
    await soon();
    end();
    boot.begin.mockClear();
    await page('', B);
    expect(asked('act.told')).toEqual([
      { type: 'act.told', act: 'act-1', outcome: 'failed', code: 'act.not_started' },
    ]);
    hall.push({ type: 'release', release: B, build: 'build-2' });
    await soon();
    expect(boot.begin).not.toHaveBeenCalled();
  });

  it('takes up by itself what is in force, as after its storage was lost', async () => {
    await page('');
    hall.push({ type: 'release', release: A, build: 'build-1' });
    await soon();
    expect(boot.begin).toHaveBeenCalledWith(A, 45);
  });

  it('stays where it is when its hall has not got the release', async () => {
    boot.prepare.mockImplementationOnce(() => Promise.resolve(false));
    await page('');
    order(B);
    await soon();
    expect(boot.begin).not.toHaveBeenCalled();
    expect(asked('act.told')).toEqual([
      { type: 'act.told', act: 'act-1', outcome: 'refused', code: 'act.no_release' },
    ]);
  });
});
