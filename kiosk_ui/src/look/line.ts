/** A line that tells a kiosk what a page of the hall manager computed, and takes nothing. */
import type { ClientMessage, ServerMessage, SocketLike, View } from '@qingting/client';
import { CONTRACT_VERSION } from '@qingting/client';

/** The entries of each topic, as the hall would send them. */
export type Look = Readonly<Record<string, Readonly<Record<string, View>>>>;

export const LOOK_DEVICE = 'preview';

export class LookLine implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  private open = true;

  constructor(private readonly look: Look) {
    queueMicrotask(() => this.onopen?.());
  }

  send(text: string): void {
    const message = JSON.parse(text) as ClientMessage;
    if (message.type === 'auth') {
      this.tell({
        type: 'welcome',
        role: 'kiosk',
        device: LOOK_DEVICE,
        name: '',
        now: Date.now(),
        version: CONTRACT_VERSION,
        window: null,
        build: '',
        token: '',
      });
    } else if (message.type === 'ask') {
      const { id, body } = message;
      const reads = body.type === 'sub' || body.type === 'ping' || body.type === 'identity.end';
      const problem = reads ? null : { code: 'hub.forbidden', params: {} };
      this.tell({ type: 'result', id, ok: reads, answer: null, problem });
      if (body.type === 'sub') for (const topic of body.topics) this.show(topic);
    }
  }

  close(): void {
    this.open = false;
    this.onclose?.();
  }

  private show(topic: string): void {
    this.tell({ type: 'snapshot', topic, seq: 1, entries: this.look[topic] ?? {} });
  }

  private tell(message: ServerMessage): void {
    const data = JSON.stringify(message);
    queueMicrotask(() => {
      if (this.open) this.onmessage?.({ data });
    });
  }
}
