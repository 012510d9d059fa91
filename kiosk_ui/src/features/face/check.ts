/** One check of a face against the photo of a card: what is asked, in which order, and how each failure ends. */
import type { FaceCheck, FaceGap } from '@qingting/client';
import { CameraError } from './camera';
import type { CameraTrouble } from './camera';
import type { CameraHow } from './how';
import { Watch, hintFor, nearest, verdictOf } from './judge';
import type { Challenge, Hint, Sight } from './judge';

export type Phase = 'opening' | 'guiding' | 'comparing' | Challenge | 'done';

/** What a check needs of the world. `T` is a face as the models describe it. */
export interface Senses<T> {
  /** Loads the models; rejects when they cannot be. */
  load(): Promise<void>;
  /** The face on the card; null when there is none to be had. */
  card(): Promise<T | null>;
  /** Rejects with a CameraError. */
  open(): Promise<void>;
  look(): Promise<Sight>;
  /** The face before the camera; null when it went away. */
  face(): Promise<T | null>;
  distance(one: T, other: T): number;
  now(): number;
  say(phase: Phase, hint: Hint | null): void;
  /** The camera works, or what is wrong with it. */
  told(trouble: CameraTrouble | null): void;
  /** The citizen went elsewhere. */
  readonly gone: AbortSignal;
}

/** Sights in a row in which somebody stands well. */
const STEADY = 3;
/** Comparisons of which the nearest counts. */
const TRIES = 2;

class Undone extends Error {
  constructor(readonly why: FaceGap) {
    super(why);
  }
}

/** Never rejects: whatever fails, a member of staff compares. The photo is sought first; without one no camera opens. */
export async function checkFace<T>(senses: Senses<T>, how: CameraHow, challenge: Challenge | null): Promise<FaceCheck> {
  try {
    return await check(senses, how, challenge);
  } catch (fault) {
    return { verdict: 'not_done', why: gapOf(fault, senses), liveness: 'unknown' };
  }
}

function gapOf<T>(fault: unknown, senses: Senses<T>): FaceGap {
  if (senses.gone.aborted) return 'skipped';
  if (fault instanceof Undone) return fault.why;
  if (fault instanceof CameraError) {
    senses.told(fault.trouble);
    return fault.trouble === 'offline' ? 'no_camera' : 'camera_fault';
  }
  return 'no_model';
}

async function check<T>(senses: Senses<T>, how: CameraHow, challenge: Challenge | null): Promise<FaceCheck> {
  senses.say('opening', null);
  await senses.load();
  const card = await senses.card();
  if (card === null) throw new Undone('no_photo');
  stay(senses);
  await senses.open();
  const until = senses.now() + how.guidance.look_s * 1000;
  const distance = await compared(senses, how, card, until);
  const liveness = challenge === null ? 'unknown' : await challenged(senses, how, challenge);
  senses.told(null);
  senses.say('done', null);
  return { verdict: verdictOf(distance, how), why: null, liveness };
}

function stay<T>(senses: Senses<T>): void {
  if (senses.gone.aborted) throw new Undone('skipped');
}

async function compared<T>(senses: Senses<T>, how: CameraHow, card: T, until: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && best > how.compare.match; ) {
    try {
      await guided(senses, how, until);
    } catch (fault) {
      // Whoever was compared once and then went away was compared.
      if (tries > 0 && fault instanceof Undone && fault.why !== 'skipped') break;
      throw fault;
    }
    senses.say('comparing', null);
    const face = await senses.face();
    stay(senses);
    if (face === null) continue;
    best = Math.min(best, senses.distance(card, face));
    tries += 1;
  }
  return best;
}

async function guided<T>(senses: Senses<T>, how: CameraHow, until: number): Promise<void> {
  let steady = 0;
  let hint: Hint = 'nobody';
  while (steady < STEADY) {
    if (senses.now() >= until) {
      if (hint === 'dark') senses.told('too_dark');
      throw new Undone(hint === 'dark' ? 'too_dark' : 'timeout');
    }
    hint = hintFor(await senses.look(), how);
    stay(senses);
    steady = hint === 'hold' ? steady + 1 : 0;
    senses.say('guiding', hint);
  }
}

async function challenged<T>(senses: Senses<T>, how: CameraHow, challenge: Challenge): Promise<'likely' | 'doubtful'> {
  const watch = new Watch(challenge);
  const until = senses.now() + how.guidance.challenge_s * 1000;
  senses.say(challenge, null);
  while (senses.now() < until) {
    const face = nearest((await senses.look()).faces);
    stay(senses);
    if (face !== null && watch.saw(face)) return 'likely';
  }
  return 'doubtful';
}
