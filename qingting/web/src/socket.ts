/** The part of WebSocket that a connection needs, so that tests bring their own line. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export type OpenSocket = (url: string) => SocketLike;

export const browserSocket: OpenSocket = (url) => new WebSocket(url) as SocketLike;

/** `ws(s)://<host of the page>/hub`. */
export function hubUrl(place: Location = location): string {
  return `${place.protocol === 'https:' ? 'wss' : 'ws'}://${place.host}/hub`;
}

const FIRST_DELAY_MS = 300;
const LONGEST_DELAY_MS = 8_000;

/** Wait before attempt `failures + 1`: 0.3 s doubling to 8 s, half of it random so that a hall full
 * of pads does not come back in one instant. */
export function backoffMs(failures: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
  return ceiling * (0.5 + random() / 2);
}
