/** The agent on this machine in the place of the hall: what the journey asks for, over loopback HTTP. */
import type {
  Answer,
  AskOptions,
  ConnectionStatus,
  HallConnection,
  OfflineOffer,
  OfflineState,
  Problem,
  Request,
  ServerMessage,
} from '@qingting/client';
import { HallError } from '@qingting/client';

/** What a journey needs of its counterpart, be it the hall or the agent. */
export type JourneyLine = Pick<HallConnection, 'ask' | 'on'> & {
  readonly status: Pick<ConnectionStatus, 'state'>;
};

const NOTHING: Answer = { ticket: null, number: null, staff: null, staff_name: null, window: null, scan: null };
const DEADLINE_MS = 8_000;
type Listener = (message: never) => void;

export class AgentLine implements JourneyLine {
  readonly status = { state: 'ready' } as const;
  private readonly listeners = new Map<string, Set<Listener>>();
  private token: string | null = null;
  private refused = '';

  constructor(private readonly offer: () => OfflineOffer | null) {}

  on<T extends ServerMessage['type']>(
    type: T,
    fn: (message: Extract<ServerMessage, { readonly type: T }>) => void,
  ): () => void {
    const group = this.listeners.get(type) ?? new Set<Listener>();
    this.listeners.set(type, group.add(fn as Listener));
    return () => group.delete(fn as Listener);
  }

  /** Rejects with a HallError; a press whose answer was lost may be repeated with its key. */
  async ask(body: Request, options: AskOptions = {}): Promise<Answer> {
    switch (body.type) {
      case 'identity.begin':
        this.token = null;
        this.refused = '';
        await this.call('/identity/begin', {});
        return NOTHING;
      case 'identity.end':
        await this.call('/identity/end', {});
        return NOTHING;
      case 'ticket.take':
        return (await this.call('/take', { key: options.key ?? '', wish: body })) as Answer;
      case 'ticket.reprint':
        await this.call('/reprint', { ticket: body.ticket });
        return NOTHING;
      default:
        throw new HallError('hub.connection_lost', {}, true);
    }
  }

  /** What the agent can do now; null when it does not answer. Tells of a card that was read. */
  async look(): Promise<OfflineState | null> {
    try {
      const state = (await this.call('/state')) as OfflineState;
      this.tell(state);
      return state;
    } catch {
      return null;
    }
  }

  private tell(state: OfflineState): void {
    const { identity, refused } = state;
    if (identity !== null && identity.token !== this.token) {
      this.token = identity.token;
      this.emit(identity);
    }
    const words = refused === null ? '' : JSON.stringify(refused);
    if (refused !== null && words !== this.refused) {
      this.emit({ type: 'identity.refused', problem: refused, waiting: true });
    }
    this.refused = words;
  }

  private emit(message: ServerMessage): void {
    for (const fn of this.listeners.get(message.type) ?? []) fn(message as never);
  }

  private async call(path: string, body?: unknown): Promise<unknown> {
    const offer = this.offer();
    if (offer === null) throw new HallError('kiosk.agent_offline', {}, true);
    let response: Response;
    try {
      response = await fetch(`http://127.0.0.1:${offer.port}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Agent-Secret': offer.secret },
        signal: AbortSignal.timeout(DEADLINE_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new HallError('kiosk.agent_offline', {}, true);
    }
    const answer: unknown = await response.json();
    if (!response.ok) throw HallError.of(answer as Problem);
    return answer;
  }
}
