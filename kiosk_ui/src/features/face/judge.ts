/** What a sight of a face means: guidance, challenges, verdict. Pure; lengths are shares of the picture. */
import type { FaceVerdict } from '@qingting/client';
import type { CameraHow } from './how';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A face in the picture: its frame, and the 68 marks of the usual scheme (iBUG 300-W). */
export interface Face {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly marks: readonly Point[];
}

/** One look at the picture. `brightness` is the mean of the nearest face, or of all where there is none, 0 to 255. */
export interface Sight {
  readonly faces: readonly Face[];
  readonly brightness: number;
}

export type Hint = 'dark' | 'nobody' | 'many' | 'closer' | 'back' | 'centre' | 'hold';
export type Challenge = 'turn' | 'blink';

/** How far the middle of a face may be from the middle of the picture. */
const OFF_CENTRE = 0.2;
/** A second face counts when it is at least so large beside the first: people far behind do not. */
const SECOND = 0.6;

const byHeight = (one: Face, other: Face): number => other.height - one.height;

/** Whoever stands nearest; null when nobody does. */
export function nearest(faces: readonly Face[]): Face | null {
  return [...faces].sort(byHeight)[0] ?? null;
}

/** What to tell somebody who shall be looked at. */
export function hintFor(sight: Sight, { guidance }: CameraHow): Hint {
  const [face, second] = [...sight.faces].sort(byHeight);
  if (face === undefined) return sight.brightness < guidance.darkest ? 'dark' : 'nobody';
  if (second !== undefined && second.height > face.height * SECOND) return 'many';
  if (face.height < guidance.farthest) return 'closer';
  if (face.height > guidance.nearest) return 'back';
  const aside = Math.abs(face.left + face.width / 2 - 0.5);
  const above = Math.abs(face.top + face.height / 2 - 0.5);
  if (aside > OFF_CENTRE || above > OFF_CENTRE) return 'centre';
  return sight.brightness < guidance.darkest ? 'dark' : 'hold';
}

function mean(points: readonly Point[]): Point {
  const sum = points.reduce((all, one) => ({ x: all.x + one.x, y: all.y + one.y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}

const apart = (one: Point, other: Point): number => Math.hypot(one.x - other.x, one.y - other.y);

/** Where the tip of the nose is between the eyes: about 0 for a face that looks ahead, ±1 at an eye. */
export function turned(face: Face): number {
  const { marks } = face;
  const right = mean(marks.slice(36, 42));
  const left = mean(marks.slice(42, 48));
  const tip = marks[30];
  const width = left.x - right.x;
  if (tip === undefined || width <= 0) return 0;
  return (tip.x - (left.x + right.x) / 2) / (width / 2);
}

/** How open the eyes are: height by width, the mean of both (Soukupová and Čech 2016, eye aspect ratio). */
export function openness(face: Face): number {
  const eye = (from: number): number => {
    const at = (index: number): Point => face.marks[from + index] ?? { x: 0, y: 0 };
    const width = apart(at(0), at(3));
    return width > 0 ? (apart(at(1), at(5)) + apart(at(2), at(4))) / (2 * width) : 0;
  };
  return (eye(36) + eye(42)) / 2;
}

/** A turn of the head by about 20 degrees moves the tip of the nose so far. */
const TURN = 0.35;
/** Eyes are shut when they are open less than this share of their usual. */
const SHUT = 0.7;
/** Sights that say how somebody usually looks. */
const USUAL = 3;

/** Watches whether what was asked is done. A picture held before the camera moves as a whole and does neither. */
export class Watch {
  private readonly values: number[] = [];
  private shut = false;

  constructor(private readonly challenge: Challenge) {}

  /** True once it was done. */
  saw(face: Face): boolean {
    const value = this.challenge === 'turn' ? turned(face) : openness(face);
    this.values.push(value);
    if (this.values.length <= USUAL) return false;
    const usual = this.values.slice(0, USUAL).sort((one, other) => one - other)[1] ?? value;
    if (this.challenge === 'turn') return Math.abs(value - usual) > TURN;
    if (value < usual * SHUT) this.shut = true;
    return this.shut && value > usual * 0.9;
  }
}

/** By the distance of two faces. */
export function verdictOf(distance: number, { compare }: CameraHow): FaceVerdict {
  if (distance <= compare.match) return 'match';
  return distance > compare.differ ? 'no_match' : 'unsure';
}
