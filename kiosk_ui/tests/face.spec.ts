import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FaceCheck } from '@qingting/client';
import { CameraError, troubleOf } from '../src/features/face/camera';
import type { CameraTrouble } from '../src/features/face/camera';
import { checkFace } from '../src/features/face/check';
import type { Senses } from '../src/features/face/check';
import type { CameraHow } from '../src/features/face/how';
import { Watch, hintFor, openness, turned, verdictOf } from '../src/features/face/judge';
import type { Face, Point, Sight } from '../src/features/face/judge';
import { useJourney } from '../src/features/ticket/store';
import { CARD, bench, soon } from './support';

const HOW: CameraHow = {
  camera: { label: '', width: 640, height: 480, mirror: true },
  compare: { match: 0.55, differ: 0.65 },
  guidance: { nearest: 0.75, farthest: 0.25, darkest: 55, look_s: 30, challenges: ['turn'], challenge_s: 8 },
};
const PHOTO = { port: 41207, token: 'one-time-token-16' };

/** A face whose nose points `turn` of half the eyes' distance aside, with eyes open by `open`. */
function face(change: Partial<Face> = {}, turn = 0, open = 0.3): Face {
  const marks = Array.from({ length: 68 }, (): Point => ({ x: 0.5, y: 0.5 }));
  for (const [from, x] of [[36, 0.45], [42, 0.55]] as const) {
    const put = (at: number, dx: number, dy: number): void => {
      marks[from + at] = { x: x + dx, y: 0.45 + dy };
    };
    put(0, -0.02, 0);
    put(3, 0.02, 0);
    for (const [at, dx] of [[1, -0.01], [2, 0.01]] as const) put(at, dx, -0.02 * open);
    for (const [at, dx] of [[5, -0.01], [4, 0.01]] as const) put(at, dx, 0.02 * open);
  }
  marks[30] = { x: 0.5 + 0.05 * turn, y: 0.52 };
  return { left: 0.3, top: 0.25, width: 0.4, height: 0.5, marks, ...change };
}

const sight = (faces: readonly Face[], brightness = 120): Sight => ({ faces, brightness });

describe('guidance', () => {
  it.each([
    ['hold', sight([face()])],
    ['nobody', sight([])],
    ['dark', sight([], 20)],
    ['dark', sight([face()], 20)],
    ['closer', sight([face({ height: 0.2, top: 0.4 })])],
    ['back', sight([face({ height: 0.9, top: 0.05 })])],
    ['centre', sight([face({ left: 0 })])],
    ['many', sight([face(), face({ left: 0.6 })])],
  ] as const)('says "%s" to what it sees', (hint, seen) => {
    expect(hintFor(seen, HOW)).toBe(hint);
  });

  it('does not mind people far behind', () => {
    expect(hintFor(sight([face(), face({ height: 0.2 })]), HOW)).toBe('hold');
  });
});

describe('challenges', () => {
  it('measures a turn to either side, whatever the size of the face', () => {
    expect(turned(face())).toBeCloseTo(0);
    expect(turned(face({}, 0.6))).toBeCloseTo(0.6);
    expect(turned(face({}, -0.6))).toBeCloseTo(-0.6);
    expect(openness(face({}, 0, 0.1))).toBeLessThan(openness(face({}, 0, 0.3)));
  });

  it('sees a turn and a blink, and neither in a picture that is held still', () => {
    const turn = new Watch('turn');
    expect([0, 0, 0, 0.2, 0.5].map((one) => turn.saw(face({}, one)))).toEqual([false, false, false, false, true]);
    const blink = new Watch('blink');
    expect([0.3, 0.3, 0.3, 0.1, 0.29].map((one) => blink.saw(face({}, 0, one)))).toEqual([false, false, false, false, true]);
    for (const challenge of ['turn', 'blink'] as const) {
      const still = new Watch(challenge);
      expect(Array.from({ length: 50 }, () => still.saw(face())).some(Boolean)).toBe(false);
    }
  });
});

describe('a check', () => {
  let told: (CameraTrouble | null)[];
  let said: string[];
  let opened: number;

  beforeEach(() => {
    told = [];
    said = [];
    opened = 0;
  });

  function senses(change: Partial<Senses<number>> = {}): Senses<number> {
    let now = 0;
    return {
      load: async () => undefined,
      card: async () => 0,
      open: async () => void (opened += 1),
      look: async () => {
        now += 200;
        return sight([face()]);
      },
      face: async () => 0.4,
      distance: (one, other) => Math.abs(one - other),
      now: () => now,
      say: (phase) => void said.push(phase),
      told: (trouble) => void told.push(trouble),
      gone: new AbortController().signal,
      ...change,
    };
  }

  const run = (change: Partial<Senses<number>> = {}, challenge: 'turn' | null = null): Promise<FaceCheck> =>
    checkFace(senses(change), HOW, challenge);

  it('matches whoever is on the card, and says that the camera works', async () => {
    expect(await run()).toEqual({ verdict: 'match', why: null, liveness: 'unknown' });
    expect(told).toEqual([null]);
  });

  it.each([
    [0.55, 'match'],
    [0.6, 'unsure'],
    [0.65, 'unsure'],
    [0.7, 'no_match'],
  ] as const)('finds a distance of %d to be "%s"', async (distance, verdict) => {
    expect(verdictOf(distance, HOW)).toBe(verdict);
    expect((await run({ face: async () => distance })).verdict).toBe(verdict);
  });

  it('counts the nearer of two comparisons', async () => {
    const seen = [0.7, 0.5];
    expect((await run({ face: async () => seen.shift() ?? null })).verdict).toBe('match');
  });

  it('doubts a picture that does not do what is asked, and still says what it compared', async () => {
    expect(await run({}, 'turn')).toEqual({ verdict: 'match', why: null, liveness: 'doubtful' });
    let looks = 0;
    let now = 0;
    const turning = {
      now: () => (now += 50),
      look: async () => sight([face({}, (looks += 1) > 8 ? 0.6 : 0)]),
    };
    expect((await run(turning, 'turn')).liveness).toBe('likely');
  });

  it('opens no camera where there is no photo to compare with', async () => {
    expect((await run({ card: async () => null })).why).toBe('no_photo');
    expect(opened).toBe(0);
    expect(told).toEqual([]);
  });

  it.each([
    ['offline', 'no_camera'],
    ['camera_busy', 'camera_fault'],
    ['camera_blocked', 'camera_fault'],
    ['camera_fault', 'camera_fault'],
  ] as const)('ends with the camera "%s" and tells the hall', async (trouble, why) => {
    const open = async (): Promise<void> => {
      throw new CameraError(trouble);
    };
    expect((await run({ open })).why).toBe(why);
    expect(told).toEqual([trouble]);
  });

  it('ends when nobody comes, when it stays dark, when the models fail and when the citizen goes', async () => {
    let now = 0;
    const dark = { now: () => (now += 1_000), look: async () => sight([], 10) };
    expect((await run(dark)).why).toBe('too_dark');
    expect(told).toEqual(['too_dark']);
    expect((await run({ now: () => (now += 1_000), look: async () => sight([]) })).why).toBe('timeout');
    const load = async (): Promise<void> => {
      throw new Error('404');
    };
    expect((await run({ load })).why).toBe('no_model');
    const gone = new AbortController();
    gone.abort();
    expect((await run({ gone: gone.signal })).why).toBe('skipped');
  });

  it('knows a browser’s reasons for no picture', () => {
    const named = (name: string): CameraTrouble => troubleOf(new DOMException('', name));
    expect(['NotFoundError', 'NotAllowedError', 'NotReadableError', 'OddError'].map(named)).toEqual([
      'offline',
      'camera_blocked',
      'camera_busy',
      'camera_fault',
    ]);
  });
});

describe('on the way to a number', () => {
  const RENEW = { id: 'id-renew', needs_identity: true };
  const FOUND: FaceCheck = { verdict: 'match', why: null, liveness: 'likely' };

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function upTo(photo: typeof PHOTO | null, camera: string | null) {
    const b = await bench((connection) =>
      useJourney(connection, () => 'zh-CN', () => false, { asked: (items) => items.includes('id-renew'), camera: () => camera }),
    );
    await b.made.proceed(RENEW);
    await b.made.beginIdentity('take');
    b.hall.push({ ...CARD, photo });
    await soon();
    return b;
  }

  const sent = (b: Awaited<ReturnType<typeof upTo>>): unknown[] =>
    b.hall.asked.flatMap(({ body }) => (body.type === 'ticket.take' ? [body.face_check] : []));

  it('comes between card and confirmation, once, and its outcome goes with the press', async () => {
    const b = await upTo(PHOTO, 'generic.uvc');
    expect(b.made.step.value).toMatchObject({ name: 'face', photo: PHOTO, profile: 'generic.uvc' });
    await b.made.faceChecked(FOUND);
    expect(b.made.step.value.name).toBe('confirm');
    b.made.addMore();
    await b.made.proceed({ id: 'passport', needs_identity: true });
    expect(b.made.step.value.name, 'nobody is compared twice').toBe('confirm');
    await b.made.confirm();
    expect(sent(b)).toEqual([FOUND]);
    expect(b.made.draft.value.face).toBeNull();
    b.stop();
  });

  it.each([
    [null, 'generic.uvc', 'no_photo'],
    [PHOTO, null, 'no_camera'],
  ] as const)('is no step where it cannot be, and the clerk is told why', async (photo, camera, why) => {
    const b = await upTo(photo, camera);
    expect(b.made.step.value.name).toBe('confirm');
    await b.made.confirm();
    expect(sent(b)).toMatchObject([{ verdict: 'not_done', why }]);
    b.stop();
  });

  it('is forgotten with the person', async () => {
    const b = await upTo(PHOTO, 'generic.uvc');
    await b.made.faceChecked(FOUND);
    b.made.reset();
    expect(b.made.draft.value).toMatchObject({ identity: null, face: null });
    b.stop();
  });
});
