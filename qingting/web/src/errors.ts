/** Refusals of the hall, as a person or a program meets them. */
import type { Problem } from './generated/contract';
import { errorText } from './catalogue';

export type ErrorParams = Readonly<Record<string, string | number>>;

/** A request failed. `retryable` says whether the very same request may succeed later. */
export class HallError extends Error {
  readonly code: string;
  readonly params: ErrorParams;
  readonly retryable: boolean;

  constructor(code: string, params: ErrorParams = {}, retryable?: boolean) {
    super(code);
    this.name = 'HallError';
    this.code = code;
    this.params = params;
    this.retryable = retryable ?? errorText(code)?.retry ?? false;
  }

  static of(problem: Problem): HallError {
    return new HallError(problem.code, problem.params);
  }
}

/** Any thrown value as a HallError; what is not ours is an internal fault and not hidden. */
export function asHallError(fault: unknown): HallError {
  return fault instanceof HallError ? fault : new HallError('internal');
}
