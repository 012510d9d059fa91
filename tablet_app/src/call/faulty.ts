/** Inputs at fault: which they are, and the attributes that tell it to people who cannot see it. */
import type { Problem } from '@qingting/client';

/** What a password form asks for. */
export type PasswordInput = 'number' | 'password' | 'present' | 'fresh' | 'again';

const WRONG: readonly PasswordInput[] = ['number', 'password', 'present'];
const OF_CODE: Readonly<Record<string, readonly PasswordInput[]>> = {
  'staff.wrong_password': WRONG,
  'staff.password_ended': ['password', 'present'],
  'login.wrong': WRONG,
  'login.password_weak': ['fresh'],
  'login.password_used': ['fresh'],
};

/** Whether the hall's refusal is about this input. */
export function isFaulty(input: PasswordInput, problem: Problem | null): boolean {
  return problem !== null && OF_CODE[problem.code]?.includes(input) === true;
}

/** For `v-bind` on an input; `told` is the id of the sentence that says what is wrong. */
export function faultMarks(wrong: boolean, told: string): Record<string, string> {
  return wrong ? { 'aria-invalid': 'true', 'aria-describedby': told } : {};
}
