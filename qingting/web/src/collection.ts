/** A topic of the hub: a snapshot and then numbered deltas, exact or asked for again. */
import type { Delta, Snapshot, View } from './generated/contract';
import type { HallError } from './errors';

export type Entries = ReadonlyMap<string, View>;

/** Where a topic asks for its snapshot and says that nobody needs it any more. */
export interface TopicSource {
  request(): void;
  release(): void;
}

/**
 * `live` is True while what {@link entries} holds is what the server holds. After a drop the last
 * known entries stay, `live` turns false, and the screen says how old they are.
 */
export class TopicStore {
  private held: Entries = new Map();
  private seq: number | null = null;
  private known = false;
  private fault: HallError | null = null;
  private readonly subscribers = new Set<() => void>();

  constructor(
    readonly topic: string,
    private readonly source: TopicSource,
  ) {}

  /** The entries by key; a new map after every change, so identity tells of change. */
  get entries(): Entries {
    return this.held;
  }

  /** False until the first snapshot: an empty map then means "not known", not "nothing". */
  get loaded(): boolean {
    return this.known;
  }

  get live(): boolean {
    return this.seq !== null;
  }

  /** Why the hall will not give this topic, if so. */
  get problem(): HallError | null {
    return this.fault;
  }

  /** Calls `fn` after every change, until the returned function is called. */
  subscribe(fn: () => void): () => void {
    this.subscribers.add(fn);
    if (this.subscribers.size === 1) this.source.request();
    return () => {
      if (!this.subscribers.delete(fn) || this.subscribers.size > 0) return;
      this.seq = null;
      this.source.release();
    };
  }

  /** Takes a snapshot: everything before it is void. */
  snapshot(message: Snapshot): void {
    this.held = new Map(Object.entries(message.entries));
    this.seq = message.seq;
    this.known = true;
    this.fault = null;
    this.tell();
  }

  /** Takes a delta. False when one is missing before it: the caller asks for a new snapshot. */
  delta(message: Delta): boolean {
    // While a new snapshot is on its way, deltas of the old run say nothing; repeated ones neither.
    if (this.seq === null || message.seq <= this.seq) return true;
    if (message.seq !== this.seq + 1) {
      this.interrupt();
      return false;
    }
    const next = new Map(this.held);
    for (const key of message.gone) next.delete(key);
    for (const [key, view] of Object.entries(message.set)) next.set(key, view);
    this.held = next;
    this.seq = message.seq;
    this.tell();
    return true;
  }

  /** The line is gone or a delta is missing: keep what is known, but as old. */
  interrupt(): void {
    if (this.seq === null) return;
    this.seq = null;
    this.tell();
  }

  /** The hall refuses this topic. */
  refuse(fault: HallError): void {
    this.fault = fault;
    this.seq = null;
    this.tell();
  }

  private tell(): void {
    for (const fn of [...this.subscribers]) fn();
  }
}

type ViewName = View['view'];
export type ViewOf<N extends ViewName> = Extract<View, { readonly view: N }>;

/** The entry under `key` when it is of view `name`. */
export function pick<N extends ViewName>(
  entries: Entries,
  key: string,
  name: N,
): ViewOf<N> | undefined {
  const view = entries.get(key);
  return view?.view === name ? (view as ViewOf<N>) : undefined;
}

/** All entries of view `name`, in the order of the topic's keys. */
export function pickAll<N extends ViewName>(entries: Entries, name: N): readonly ViewOf<N>[] {
  return [...entries.values()].filter((view): view is ViewOf<N> => view.view === name);
}
