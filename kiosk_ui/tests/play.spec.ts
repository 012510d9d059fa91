import { describe, expect, it } from 'vitest';
import type { Frame } from '@qingting/client';
import { frame } from '../src/dev/sample';
import { cellsOf, columnsOf } from '../src/features/board/cells';
import { frameAt } from '../src/features/board/play';
import { linesOf } from '../src/features/board/strip';
import { boardRow, boardScreen } from '../src/dev/sample';
import turns from '../../tests/unit/boards/turns.json';

interface Example {
  readonly name: string;
  readonly frames: readonly Partial<Frame>[];
  /** Pairs of milliseconds since the beginning and the frame that is up; null = dark. */
  readonly up: readonly (readonly [number, number | null])[];
}

/** The hall server's own examples, so that the twins stay twins. */
const EXAMPLES = turns as unknown as readonly Example[];
const SINCE = 1_000_000;

describe('turns of frames', () => {
  it.each(EXAMPLES)('$name, as on the hall server', ({ frames, up }) => {
    const line = frames.map((one) =>
      frame([], {
        ...one,
        starts_at: one.starts_at === undefined ? null : SINCE + (one.starts_at ?? 0),
        ends_at: one.ends_at === undefined ? null : SINCE + (one.ends_at ?? 0),
      }),
    );
    for (const [at, index] of up) {
      expect([at, frameAt(line, SINCE, SINCE + at)?.index ?? null]).toEqual([at, index]);
    }
  });
});

describe('the parts of a line', () => {
  const screen = boardScreen(0, '通知');
  const part = screen.tracks[0]?.frames[0]?.segments[0] as never;
  const made = (share: number, under = false, text = 'x') => ({ ...(part as object), share, under, text }) as never;

  it('share its width, and what has no share takes the rest', () => {
    expect(columnsOf(cellsOf([made(30), made(0), made(20)]))).toBe(
      'minmax(0, 30fr) minmax(0, 50fr) minmax(0, 20fr)',
    );
  });

  it('stand below the one before them where the layout says so', () => {
    const cells = cellsOf([made(30), made(0, true), made(0, true, ''), made(70)]);
    expect(cells.map((cell) => cell.segments.length)).toEqual([2, 1]);
  });
});

describe('a strip', () => {
  const idle = boardScreen(0, '通知', {
    kind: 'window_strip',
    rows: 1,
    matrix: { height: 16, width: 128, lamps: 'single' },
  });
  const picture = (rows: readonly ReturnType<typeof boardRow>[]) => ({
    screen: idle,
    rows,
    earlier: [],
    quiet: false,
  });

  it('shows its foot until somebody is called, and the call then', () => {
    expect(linesOf(picture([]), 5_000)[0]?.track.zone).toBe('foot');
    const called = linesOf(picture([boardRow(1, 'A001', '3', 5_000)]), 6_000)[0];
    expect(called?.track.zone).toBe('calls');
    expect(called?.since).toBe(5_000);
  });
});
