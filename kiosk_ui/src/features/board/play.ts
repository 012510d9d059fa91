/**
 * Which frame of a line is up when; the twin of `hallserver/boards/play.py`, which states the rule. Both
 * follow from a frame's numbers and one instant alone, so every screen shows the same at the same time.
 */
import type { Frame } from '@qingting/client';

/** One frame on the screen: its place in the list, and when it went up (server time). */
export interface Up {
  readonly index: number;
  readonly since: number;
}

const lasts = (frame: Frame): number => Math.round(frame.seconds * 1_000);

/** `since` moved on by whole rounds, where all rounds are alike. */
function fold(frames: readonly Frame[], since: number, until: number): number {
  const around = frames.reduce((sum, one) => sum + lasts(one), 0);
  const plain = frames.every(
    (one) =>
      one.repeats === 0 &&
      one.starts_at === null &&
      one.ends_at === null &&
      one.every_seconds * 1_000 <= around,
  );
  if (!plain || around === 0) return since;
  return since + Math.floor(Math.max(0, until - 1 - since) / around) * around;
}

class Turns {
  private readonly counts: number[];
  private readonly last: (number | null)[];

  constructor(private readonly frames: readonly Frame[]) {
    this.counts = frames.map(() => 0);
    this.last = frames.map(() => null);
  }

  /** Shows the frame at `index` from `at`; when its showing ends. */
  show(index: number, at: number): number {
    const frame = this.frames[index] as Frame;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.last[index] = at;
    return Math.min(at + lasts(frame), frame.ends_at ?? Number.POSITIVE_INFINITY);
  }

  /** The next frame in turn that is due at `at`. */
  due(at: number, turn: number): number | null {
    for (let step = 0; step < this.frames.length; step += 1) {
      const index = (turn + step) % this.frames.length;
      if (this.ready(index) <= at && !this.over(index, at)) return index;
    }
    return null;
  }

  /** The next instant at which a frame can be due; null = never. */
  wake(at: number): number | null {
    const times = this.frames
      .map((frame, index) => ({ frame, index, ready: this.ready(index) }))
      .filter(({ frame, index, ready }) => ready > at && !this.over(index, at) && ready < end(frame))
      .map(({ ready }) => ready);
    return times.length === 0 ? null : Math.min(...times);
  }

  private ready(index: number): number {
    const frame = this.frames[index] as Frame;
    const before = this.last[index] ?? null;
    const again = before === null ? Number.NEGATIVE_INFINITY : before + frame.every_seconds * 1_000;
    return Math.max(again, frame.starts_at ?? Number.NEGATIVE_INFINITY);
  }

  private over(index: number, at: number): boolean {
    const frame = this.frames[index] as Frame;
    const spent = frame.repeats > 0 && (this.counts[index] ?? 0) >= frame.repeats;
    return spent || at >= end(frame);
  }
}

const end = (frame: Frame): number => frame.ends_at ?? Number.POSITIVE_INFINITY;

/** The frame that is up at `now` on a line whose turns are counted from `since`; null = dark. */
export function frameAt(frames: readonly Frame[], since: number, now: number): Up | null {
  const turns = new Turns(frames);
  let at = fold(frames, since, now + 1);
  let turn = 0;
  let up: Up | null = null;
  while (at <= now) {
    const index = turns.due(at, turn);
    if (index === null) {
      up = null;
      at = turns.wake(at) ?? Number.POSITIVE_INFINITY;
    } else {
      up = { index, since: at };
      at = turns.show(index, at);
      turn = (index + 1) % frames.length;
    }
  }
  return up;
}
