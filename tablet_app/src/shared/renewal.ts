/**
 * When a pad takes a new program: as soon as nobody needs it, and never between a call and its rating.
 * The rule is here; {@link keepShell} carries it out.
 */

/** So long must nobody have touched the pad: a half-written number on the login screen is work too. */
export const QUIET_MS = 60_000;

export interface Moment {
  /** The program that the hall serves; empty when it does not say. */
  readonly served: string;
  readonly running: string;
  /** A new program lies ready on the device. */
  readonly waiting: boolean;
  /** The program for which this page was already loaded again, so that it does not go round in circles. */
  readonly tried: string;
  readonly idle: boolean;
  readonly quietMs: number;
}

/** `take`: put the waiting program in force and load it. `load`: load the page, the worker has the new one. */
export type Renewal = 'nothing' | 'take' | 'load';

export function renewalOf(moment: Moment): Renewal {
  if (!moment.idle || moment.quietMs < QUIET_MS) return 'nothing';
  if (moment.waiting) return 'take';
  const isOld = moment.served !== '' && moment.served !== moment.running;
  return isOld && moment.tried !== moment.served ? 'load' : 'nothing';
}
