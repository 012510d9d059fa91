/** What the holder of a ticket on the screen may ask for: paper, the place back, to leave. */
import type { ShallowRef } from 'vue';
import type { Problem } from '@qingting/client';
import { asHallError, newKey } from '@qingting/client';
import type { JourneyLine } from '../offline/line';
import type { Step, TicketAct } from './steps';

const REQUESTS = {
  reprint: 'ticket.reprint',
  return: 'ticket.return',
  leave: 'ticket.leave',
} as const;

/** Asks for the ticket of the present step; a refusal is shown beside it. */
export function useTicketActs(connection: JourneyLine, step: ShallowRef<Step>) {
  async function ask(act: TicketAct): Promise<void> {
    const now = step.value;
    if (now.name !== 'ticket' || now.asking !== null) return;
    const asking: Step = { ...now, asking: act, problem: null };
    step.value = asking;
    let problem: Problem | null = null;
    try {
      await connection.ask({ type: REQUESTS[act], ticket: now.ticket }, { key: newKey() });
    } catch (fault) {
      const { code, params } = asHallError(fault);
      problem = { code, params };
    }
    if (step.value === asking) step.value = { ...now, asking: null, problem };
  }

  return {
    /** Prints the same number again. */
    reprint: () => ask('reprint'),
    /** The visitor who was away or missed the call is back. */
    comeBack: () => ask('return'),
    /** Gives the place up. */
    leaveLine: () => ask('leave'),
  };
}
