/**
 * A hall in memory for tests and previews: speaks the hub's messages over a line that can be cut,
 * doubled and made to lose a delta. Never part of a shipped bundle.
 */
import { newKey } from './keys';
import type {
  Answer,
  Ask,
  ClientMessage,
  Request,
  Role,
  ServerMessage,
  View,
  Welcome,
} from './generated/contract';
import { CONTRACT_VERSION } from './generated/contract';
import { HallError } from './errors';
import type { OpenSocket, SocketLike } from './socket';

type RequestType = Request['type'];
type Body<T extends RequestType> = Extract<Request, { readonly type: T }>;
type Handler = (body: never, ask: Ask) => Partial<Answer> | undefined;

export interface FakeDevice {
  readonly key: string;
  readonly role: Role;
  readonly name: string;
  readonly window?: string;
}

const NO_ANSWER: Answer = { ticket: null, number: null, staff: null, staff_name: null, window: null, scan: null };

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  open = true;
  device: string | null = null;
  readonly topics = new Set<string>();

  constructor(private readonly hall: FakeHall) {}

  send(text: string): void {
    if (this.open) this.hall.receive(this, JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.open = false;
    this.hall.closed(this);
    this.onclose?.();
  }

  /** Delivered in a later microtask and in order, as a real line would. */
  deliver(message: ServerMessage): void {
    const data = JSON.stringify(message);
    queueMicrotask(() => {
      if (this.open) this.onmessage?.({ data });
    });
  }
}

export class FakeHall {
  /** Every ask that reached the hall, repeats included. */
  readonly asked: Ask[] = [];
  /** Devices that may authenticate, by id. */
  readonly devices = new Map<string, FakeDevice>();
  /** Pairing codes and the device that each one makes. */
  readonly codes = new Map<string, string>();
  /** While true nothing can be reached, as with the server switched off. */
  down = false;
  /** While true the line stays open and nothing is ever said, as with a cable half pulled. */
  silent = false;
  now = Date.now();

  private readonly sockets = new Set<FakeSocket>();
  private readonly handlers = new Map<string, Handler>();
  private readonly answers = new Map<string, Answer>();
  private readonly topics = new Map<string, { seq: number; entries: Map<string, View> }>();
  private cut: 'before' | 'after' | null = null;

  /** The line to this hall; give it to a HallConnection. */
  readonly openSocket: OpenSocket = () => {
    const socket = new FakeSocket(this);
    queueMicrotask(() => {
      if (!socket.open) return;
      if (this.down) {
        socket.close();
        return;
      }
      this.sockets.add(socket);
      if (!this.silent) socket.onopen?.();
    });
    return socket;
  };

  /** Adds a device that may authenticate, and a code that pairs it. */
  enrol(id: string, device: FakeDevice, code?: string): this {
    this.devices.set(id, device);
    if (code !== undefined) this.codes.set(code, id);
    return this;
  }

  /** Answers one type of request; throw a HallError to refuse it. */
  onRequest<T extends RequestType>(
    type: T,
    fn: (body: Body<T>, ask: Ask) => Partial<Answer> | undefined,
  ): this {
    this.handlers.set(type, fn as Handler);
    return this;
  }

  /** How often a request of this type reached the hall. */
  count(type: RequestType): number {
    return this.asked.filter((ask) => ask.body.type === type).length;
  }

  /** Sets an entry of a topic and tells the subscribers. */
  set(topic: string, key: string, view: View): void {
    this.change(topic, { [key]: view }, []);
  }

  /** Takes an entry out of a topic and tells the subscribers. */
  remove(topic: string, key: string): void {
    this.change(topic, {}, [key]);
  }

  /** The entries of a topic as the hall holds them. */
  entries(topic: string): ReadonlyMap<string, View> {
    return this.topicOf(topic).entries;
  }

  /** Says something to every authenticated client. */
  push(message: ServerMessage): void {
    for (const socket of this.sockets) if (socket.device !== null) socket.deliver(message);
  }

  /** Says the last delta of a topic once more. */
  repeatLast(topic: string): void {
    const { seq, entries } = this.topicOf(topic);
    this.tell(topic, { type: 'delta', topic, seq, set: Object.fromEntries(entries), gone: [] });
  }

  /** Changes a topic without telling, so that the next delta follows a gap. */
  loseDelta(topic: string, key: string, view: View): void {
    const held = this.topicOf(topic);
    held.entries.set(key, view);
    held.seq += 1;
  }

  /** Cuts every line. */
  drop(): void {
    for (const socket of [...this.sockets]) socket.close();
  }

  /** Cuts the line at the next keyed ask: before it is carried out, or after it and before the answer. */
  dropAtNextAsk(when: 'before' | 'after'): void {
    this.cut = when;
  }

  closed(socket: FakeSocket): void {
    this.sockets.delete(socket);
  }

  receive(socket: FakeSocket, message: ClientMessage): void {
    if (this.silent) return;
    switch (message.type) {
      case 'auth':
        this.authenticate(socket, message.device, message.key);
        break;
      case 'pair':
        this.pair(socket, message.code);
        break;
      case 'ask':
        this.carryOut(socket, message);
        break;
    }
  }

  private authenticate(socket: FakeSocket, id: string, key: string): void {
    const device = this.devices.get(id);
    if (device?.key !== key) {
      const params = {};
      const problem = { code: 'hub.not_authenticated', params };
      socket.deliver({ type: 'bye', problem, retry: false });
      return;
    }
    socket.device = id;
    const welcome: Welcome = {
      type: 'welcome',
      role: device.role,
      device: id,
      name: device.name,
      now: this.now,
      version: CONTRACT_VERSION,
      window: device.window ?? null,
      build: '',
      token: newKey(),
    };
    socket.deliver(welcome);
  }

  private pair(socket: FakeSocket, code: string): void {
    const id = this.codes.get(code);
    const device = id === undefined ? undefined : this.devices.get(id);
    if (id === undefined || device === undefined) {
      const problem = { code: 'hub.pairing_code_wrong', params: {} };
      socket.deliver({ type: 'bye', problem, retry: false });
    } else {
      this.codes.delete(code);
      socket.deliver({ type: 'paired', device: id, key: device.key });
    }
  }

  private carryOut(socket: FakeSocket, ask: Ask): void {
    this.asked.push(ask);
    const { body } = ask;
    if (body.type === 'sub') {
      this.reply(socket, ask.id, NO_ANSWER);
      for (const topic of body.topics) this.sendSnapshot(socket, topic);
      return;
    }
    const cut = typeof ask.key === 'string' ? this.cut : null;
    if (cut !== null) this.cut = null;
    if (cut === 'before') {
      socket.close();
      return;
    }
    const outcome = this.outcome(ask);
    if (cut === 'after') socket.close();
    else this.reply(socket, ask.id, outcome);
  }

  private outcome(ask: Ask): Answer | HallError {
    const key = ask.key ?? null;
    const before = key === null ? undefined : this.answers.get(key);
    if (before !== undefined) return before;
    const outcome = this.handle(ask);
    // A refusal changed nothing, so nothing is kept of it: the same key may succeed later.
    if (key !== null && !(outcome instanceof HallError)) this.answers.set(key, outcome);
    return outcome;
  }

  private handle(ask: Ask): Answer | HallError {
    try {
      const handler = this.handlers.get(ask.body.type);
      return { ...NO_ANSWER, ...handler?.(ask.body as never, ask) };
    } catch (fault) {
      if (fault instanceof HallError) return fault;
      throw fault;
    }
  }

  private reply(socket: FakeSocket, id: number, outcome: Answer | HallError): void {
    if (outcome instanceof HallError) {
      const problem = { code: outcome.code, params: outcome.params };
      socket.deliver({ type: 'result', id, ok: false, answer: null, problem });
    } else {
      socket.deliver({ type: 'result', id, ok: true, answer: outcome, problem: null });
    }
  }

  private sendSnapshot(socket: FakeSocket, topic: string): void {
    const { seq, entries } = this.topicOf(topic);
    socket.topics.add(topic);
    socket.deliver({ type: 'snapshot', topic, seq, entries: Object.fromEntries(entries) });
  }

  private change(topic: string, set: Record<string, View>, gone: readonly string[]): void {
    const held = this.topicOf(topic);
    for (const key of gone) held.entries.delete(key);
    for (const [key, view] of Object.entries(set)) held.entries.set(key, view);
    held.seq += 1;
    this.tell(topic, { type: 'delta', topic, seq: held.seq, set, gone });
  }

  private tell(topic: string, message: ServerMessage): void {
    for (const socket of this.sockets) if (socket.topics.has(topic)) socket.deliver(message);
  }

  private topicOf(name: string): { seq: number; entries: Map<string, View> } {
    const known = this.topics.get(name) ?? { seq: 0, entries: new Map<string, View>() };
    this.topics.set(name, known);
    return known;
  }
}
