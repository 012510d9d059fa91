/** One device's line to its hall server: authenticates, keeps alive, comes back by itself. */
import type {
  Answer,
  ClientMessage,
  Delta,
  DeviceKind,
  Problem,
  Request,
  ServerMessage,
  Snapshot,
  Welcome,
} from './generated/contract';
import { CONTRACT_VERSION } from './generated/contract';
import { ASK_DEADLINE_MS, AskBook } from './asks';
import { TopicStore } from './collection';
import { HallError } from './errors';
import type { IdentityStore } from './identity';
import { newKey } from './keys';
import type { OpenSocket, SocketLike } from './socket';
import { backoffMs, browserSocket, hubUrl } from './socket';
import { ServerClock } from './time';

/**
 * `unpaired`: nobody knows this device, a person must pair it. `stopped`: the server said not to come
 * back (`problem` says why) or {@link HallConnection.stop} was called. `lost`: it comes back by itself.
 */
export type ConnectionState = 'unpaired' | 'connecting' | 'auth' | 'ready' | 'lost' | 'stopped';

export interface ConnectionStatus {
  readonly state: ConnectionState;
  /** Server time at which the state began. */
  readonly since: number;
  /** Server time at which the line was last seen working, while it is not; null while it is. */
  readonly downSince: number | null;
  readonly problem: Problem | null;
  readonly welcome: Welcome | null;
}

export interface ConnectionOptions {
  readonly identity: IdentityStore;
  readonly url?: string;
  readonly openSocket?: OpenSocket;
  readonly build?: string;
  readonly random?: () => number;
}

export interface AskOptions {
  /** Made once per press ({@link newKey}); makes the ask survive a drop without being done twice. */
  readonly key?: string;
  readonly deadlineMs?: number;
}

export type Unsubscribe = () => void;
type Listener = (message: never) => void;

export const PING_EVERY_MS = 5_000;
export const DEAD_AFTER_MS = 12_000;
const OPENING_MS = 6_000;
const STEADY_MS = 5_000;
const REPLACED = 'hub.replaced';
/** Longer than the hall takes two tabs that started together for one, and than a tab's store takes to reach another. */
const SUSPECT_MS = 15_000;
const UNPAIRED_CODES: ReadonlySet<string> = new Set(['hub.not_authenticated', 'hub.unknown_device']);

export class HallConnection {
  readonly clock = new ServerClock();
  private current: ConnectionStatus;
  private readonly watchers = new Set<(status: ConnectionStatus) => void>();
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly topics = new Map<string, TopicStore>();
  private readonly asks = new AskBook((text) => this.socket?.send(text));
  private socket: SocketLike | null = null;
  private pairing: { code: string; kind: DeviceKind; done: (fault: HallError | null) => void } | null =
    null;
  private failures = 0;
  /** The token of the last welcome. */
  private handed = '';
  private readyAt = 0;
  private heardAt = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private openingTimer: ReturnType<typeof setTimeout> | undefined;
  private pulse: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: ConnectionOptions) {
    const now = this.clock.now();
    this.current = { state: 'stopped', since: now, downSince: now, problem: null, welcome: null };
  }

  get status(): ConnectionStatus {
    return this.current;
  }

  /** Server time at which the server was last heard; 0 before the first time. */
  get lastHeard(): number {
    return this.heardAt;
  }

  /** Tells of every change of {@link status}. */
  onStatus(fn: (status: ConnectionStatus) => void): Unsubscribe {
    this.watchers.add(fn);
    return () => this.watchers.delete(fn);
  }

  /** Listens to one type of server message, in the order of arrival. */
  on<T extends ServerMessage['type']>(
    type: T,
    fn: (message: Extract<ServerMessage, { readonly type: T }>) => void,
  ): Unsubscribe {
    const group = this.listeners.get(type) ?? new Set<Listener>();
    this.listeners.set(type, group.add(fn as Listener));
    return () => group.delete(fn as Listener);
  }

  /** Connects with the stored identity, or waits unpaired. Also leaves `stopped`. */
  start(): void {
    this.endLine();
    this.failures = 0;
    this.open();
  }

  /** Hangs up for good; asks under way are rejected. */
  stop(): void {
    this.endLine();
    this.enter('stopped', null);
    this.asks.abandon(new HallError('hub.connection_lost', {}, true));
  }

  /** Trades a pairing code for an identity, stores it and connects. Rejects with a HallError. */
  pair(code: string, kind: DeviceKind): Promise<void> {
    return new Promise((resolve, reject) => {
      this.endLine();
      this.pairing = {
        code,
        kind,
        done: (fault) => {
          this.pairing = null;
          this.endLine();
          if (fault === null) resolve();
          else reject(fault);
          this.open(fault === null ? null : { code: fault.code, params: fault.params });
        },
      };
      this.dial();
    });
  }

  /**
   * Asks the hall for something. Resolves with its answer or rejects with a {@link HallError}. An ask
   * with a key waits out a dropped line until its deadline and is repeated with the same key; one
   * without a key is rejected as retryable when the line drops.
   */
  ask(body: Request, options: AskOptions = {}): Promise<Answer> {
    return this.asks.ask(body, {
      key: options.key ?? null,
      deadlineMs: options.deadlineMs ?? ASK_DEADLINE_MS,
      ready: this.current.state === 'ready',
    });
  }

  /** The shared store of a topic; subscribed while it has subscribers. */
  topic(name: string): TopicStore {
    const known = this.topics.get(name);
    if (known !== undefined) return known;
    const store = new TopicStore(name, {
      request: () => this.subscribe(store),
      release: () => this.topics.delete(name),
    });
    this.topics.set(name, store);
    return store;
  }

  private subscribe(store: TopicStore): void {
    // A store that lost its last subscriber was released; a new subscriber puts it back.
    this.topics.set(store.topic, store);
    if (this.current.state !== 'ready') return;
    this.ask({ type: 'sub', topics: [store.topic] }).catch((fault: unknown) => {
      if (!(fault instanceof HallError)) throw fault;
      if (fault.retryable) setTimeout(() => this.retrySubscription(store), 2_000);
      else store.refuse(fault);
    });
  }

  private retrySubscription(store: TopicStore): void {
    if (this.topics.get(store.topic) === store && !store.live) this.subscribe(store);
  }

  private open(problem: Problem | null = null): void {
    if (this.options.identity.load() === null) this.enter('unpaired', problem);
    else this.dial();
  }

  private dial(): void {
    // While a code is tried the device stays unpaired: the screen that asked for it must not go away.
    if (this.pairing === null) this.enter('connecting', null);
    const socket = (this.options.openSocket ?? browserSocket)(this.options.url ?? hubUrl());
    this.socket = socket;
    this.openingTimer = setTimeout(() => this.lineDropped(socket), OPENING_MS);
    socket.onopen = () => this.introduce(socket);
    socket.onmessage = (event) => {
      if (socket === this.socket) this.receive(String(event.data));
    };
    socket.onclose = () => this.lineDropped(socket);
  }

  private introduce(socket: SocketLike): void {
    if (socket !== this.socket) return;
    if (this.pairing === null) this.enter('auth', null);
    const identity = this.options.identity.load();
    if (this.pairing !== null) {
      const { code, kind } = this.pairing;
      this.say({ type: 'pair', code, kind, version: CONTRACT_VERSION });
    } else if (identity !== null) {
      const build = this.options.build ?? '';
      const install = identity.install ?? '';
      const token = identity.token ?? '';
      this.say({ type: 'auth', ...identity, install, token, version: CONTRACT_VERSION, build });
    }
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    this.heardAt = this.clock.now();
    switch (message.type) {
      case 'welcome':
        this.welcomed(message);
        break;
      case 'paired':
        this.options.identity.save({
          device: message.device,
          key: message.key,
          install: newKey(),
        });
        this.pairing?.done(null);
        break;
      case 'result':
        this.asks.answer(message);
        break;
      case 'snapshot':
      case 'delta':
        this.update(message);
        break;
      case 'bye':
        this.dismissed(message.problem, message.retry);
        break;
      default:
        break;
    }
    for (const fn of this.listeners.get(message.type) ?? []) fn(message as never);
  }

  private update(message: Snapshot | Delta): void {
    const store = this.topics.get(message.topic);
    if (store === undefined) return;
    if (message.type === 'snapshot') store.snapshot(message);
    else if (!store.delta(message)) this.subscribe(store);
  }

  private welcomed(welcome: Welcome): void {
    clearTimeout(this.openingTimer);
    this.clock.set(welcome.now);
    this.heardAt = this.clock.now();
    this.readyAt = this.heardAt;
    this.keep(welcome.token);
    this.enter('ready', null, welcome);
    for (const store of this.topics.values()) this.subscribe(store);
    this.asks.resume();
    let pinged = this.heardAt;
    this.pulse = setInterval(() => {
      const now = this.clock.now();
      if (now - this.heardAt >= DEAD_AFTER_MS && this.socket !== null) this.lineDropped(this.socket);
      else if (now - pinged >= PING_EVERY_MS) {
        pinged = now;
        // A ping that fails needs no handling of its own: the silence is what counts.
        this.ask({ type: 'ping' }).catch(() => undefined);
      }
    }, 1_000);
  }

  private keep(token: string): void {
    this.handed = token;
    const identity = this.options.identity.load();
    if (token !== '' && identity !== null) this.options.identity.save({ ...identity, token });
  }

  /**
   * Somebody else took this device's place. Another tab of this browser has stored a newer token by now; where
   * ours is still the last one, it was a copy of this storage, and the hall finds out when we ask to come back.
   */
  private suspect(): void {
    if (this.current.state !== 'stopped' || this.handed === '') return;
    if (this.options.identity.load()?.token === this.handed) this.start();
  }

  private dismissed(problem: Problem, retry: boolean): void {
    if (this.pairing !== null) this.pairing.done(HallError.of(problem));
    else if (UNPAIRED_CODES.has(problem.code)) this.giveUp('unpaired', problem);
    else if (!retry) {
      this.giveUp('stopped', problem);
      if (problem.code === REPLACED) this.retryTimer = setTimeout(() => this.suspect(), SUSPECT_MS);
    }
    else if (this.socket !== null) this.lineDropped(this.socket, problem);
  }

  private giveUp(state: 'unpaired' | 'stopped', problem: Problem): void {
    this.endLine();
    this.enter(state, problem);
    this.asks.abandon(HallError.of(problem));
  }

  private lineDropped(socket: SocketLike, problem: Problem | null = null): void {
    if (socket !== this.socket) return;
    if (this.pairing !== null) {
      this.pairing.done(new HallError('hub.connection_lost', {}, true));
      return;
    }
    const steady = this.current.state === 'ready' && this.clock.now() - this.readyAt > STEADY_MS;
    if (steady) this.failures = 0;
    this.endLine();
    this.enter('lost', problem ?? this.current.problem);
    this.retryTimer = setTimeout(
      () => this.open(),
      backoffMs(this.failures, this.options.random ?? Math.random),
    );
    this.failures += 1;
  }

  private endLine(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.openingTimer);
    clearInterval(this.pulse);
    const socket = this.socket;
    this.socket = null;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.asks.suspend();
    for (const store of this.topics.values()) store.interrupt();
  }

  private enter(state: ConnectionState, problem: Problem | null, welcome?: Welcome): void {
    const now = this.clock.now();
    this.current = {
      state,
      since: this.current.state === state ? this.current.since : now,
      downSince: state === 'ready' ? null : (this.current.downSince ?? now),
      problem,
      welcome: welcome ?? this.current.welcome,
    };
    for (const fn of [...this.watchers]) fn(this.current);
  }

  private say(message: ClientMessage): void {
    this.socket?.send(JSON.stringify(message));
  }
}
