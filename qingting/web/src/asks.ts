/** Requests on their way: numbered, with deadlines, and sent again after a drop when that is safe. */
import type { Answer, Request, Result } from './generated/contract';
import { HallError } from './errors';

export const ASK_DEADLINE_MS = 15_000;

const NOTHING: Answer = { ticket: null, number: null, staff: null, staff_name: null, window: null, scan: null };

interface PendingAsk {
  readonly body: Request;
  readonly key: string | null;
  readonly settle: (outcome: Answer | HallError) => void;
}

/** `send` puts a numbered ask on the line and must only be called while the line is ready. */
export class AskBook {
  private lastId = 0;
  private readonly sent = new Map<number, PendingAsk>();
  private readonly held = new Set<PendingAsk>();

  constructor(private readonly send: (message: string) => void) {}

  /** Rejects with a HallError; a keyed ask waits for the line, a keyless one only rides a ready one. */
  ask(
    body: Request,
    options: { readonly key: string | null; readonly deadlineMs: number; readonly ready: boolean },
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | null = null;
      const pending: PendingAsk = {
        body,
        key: options.key,
        settle: (outcome) => {
          if (timer !== null) clearTimeout(timer);
          this.forget(pending);
          if (outcome instanceof HallError) reject(outcome);
          else resolve(outcome);
        },
      };
      timer = setTimeout(() => {
        const seconds = Math.round(options.deadlineMs / 1000);
        pending.settle(new HallError('hub.no_answer', { seconds }, true));
      }, options.deadlineMs);
      if (options.ready) this.put(pending);
      else if (pending.key !== null) this.held.add(pending);
      else pending.settle(new HallError('hub.connection_lost', {}, true));
    });
  }

  /** The answer to a numbered ask; one that nobody waits for any more is ignored. */
  answer(result: Result): void {
    const pending = this.sent.get(result.id);
    if (pending === undefined) return;
    if (result.ok) pending.settle(result.answer ?? NOTHING);
    else pending.settle(HallError.of(result.problem ?? { code: 'internal', params: {} }));
  }

  /** The line is back: what was held goes out, oldest first, each with its own key. */
  resume(): void {
    const waiting = [...this.held];
    this.held.clear();
    for (const pending of waiting) this.put(pending);
  }

  /** The line dropped: keyed asks wait for it, the others cannot be repeated safely. */
  suspend(): void {
    const interrupted = [...this.sent.values()];
    this.sent.clear();
    for (const pending of interrupted) {
      if (pending.key !== null) this.held.add(pending);
      else pending.settle(new HallError('hub.connection_lost', {}, true));
    }
  }

  /** The connection is over: nobody will answer. */
  abandon(fault: HallError): void {
    for (const pending of [...this.sent.values(), ...this.held]) pending.settle(fault);
  }

  private put(pending: PendingAsk): void {
    this.lastId += 1;
    this.sent.set(this.lastId, pending);
    const { body, key } = pending;
    this.send(JSON.stringify({ type: 'ask', id: this.lastId, body, ...(key === null ? {} : { key }) }));
  }

  private forget(pending: PendingAsk): void {
    this.held.delete(pending);
    for (const [id, other] of this.sent) if (other === pending) this.sent.delete(id);
  }
}
