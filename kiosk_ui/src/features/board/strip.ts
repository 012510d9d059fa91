/** What each line of an LED strip shows; the twin of `hallserver/boards/strip.py`. */
import type { Frame, Track, Zone } from '@qingting/client';
import { frameAt } from './play';
import type { Picture } from './store';

export interface StripLine {
  readonly track: Track;
  readonly since: number;
}

const framesOf = (tracks: readonly Track[], zone: Zone, line: number): readonly Frame[] =>
  tracks.filter((track) => track.zone === zone && track.line === line).flatMap(({ frames }) => frames);

/** For each line its calls while one is up, else what it shows in between; null = dark. */
export function linesOf(picture: Picture, now: number): readonly (StripLine | null)[] {
  const { screen, rows } = picture;
  // Turns begin again with the newest call, so that it is seen at once.
  const called = Math.max(...rows.map((row) => row.called_at), screen.since);
  return Array.from({ length: screen.rows }, (_, index) => {
    const line = index + 1;
    const calls = rows.flatMap((row) => framesOf(row.tracks, 'calls', line));
    if (frameAt(calls, called, now) !== null) {
      return { track: { zone: 'calls', line, frames: calls }, since: called };
    }
    const idle = framesOf(screen.tracks, 'foot', line);
    if (frameAt(idle, screen.since, now) === null) return null;
    return { track: { zone: 'foot', line, frames: idle }, since: screen.since };
  });
}
