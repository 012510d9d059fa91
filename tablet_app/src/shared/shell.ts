/** Keeps the program on the device and renews it in a quiet moment. */
import type { HallConnection } from '@qingting/client';
import { BUILD } from './build';
import type { Renewal } from './renewal';
import { renewalOf } from './renewal';

const LOOK_MS = 5_000;
const ASK_AGAIN_MS = 10 * 60_000;
const TRIED = 'qingting.tablet.tried';

export interface ShellHands {
  /** Nobody is called, served or asked for a rating here. */
  readonly idle: () => boolean;
  readonly quietMs: () => number;
}

/** Browsers keep programs on https and on localhost only; elsewhere the page is loaded from the hall. */
async function register(): Promise<ServiceWorkerRegistration | null> {
  if (!('serviceWorker' in navigator)) return null;
  return navigator.serviceWorker.register(new URL('sw.js', location.href));
}

/** Never rejects: a pad without its shell works on, and its report says which program it runs. */
export async function keepShell(connection: HallConnection, hands: ShellHands): Promise<void> {
  if (!import.meta.env.PROD) return;
  const registration = await register().catch((fault: unknown) => {
    reportError(fault);
    return null;
  });
  let askedAt = Date.now();
  const served = (): string => connection.status.welcome?.build ?? '';

  function lookForNew(): void {
    askedAt = Date.now();
    registration?.update().catch(() => undefined); // the hall is away: asked again later
  }

  connection.onStatus(({ state }) => {
    if (state === 'ready' && served() !== '' && served() !== BUILD) lookForNew();
  });
  setInterval(() => {
    if (Date.now() - askedAt > ASK_AGAIN_MS) lookForNew();
    const next = renewalOf({
      served: connection.status.state === 'ready' ? served() : '',
      running: BUILD,
      waiting: (registration?.waiting ?? null) !== null,
      tried: sessionStorage.getItem(TRIED) ?? '',
      idle: hands.idle() && (registration?.installing ?? null) === null,
      quietMs: hands.quietMs(),
    });
    carryOut(next, registration, served());
  }, LOOK_MS);
}

function carryOut(
  next: Renewal,
  registration: ServiceWorkerRegistration | null,
  served: string,
): void {
  if (next === 'load') {
    sessionStorage.setItem(TRIED, served);
    location.reload();
  }
  if (next === 'take') {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), {
      once: true,
    });
    registration?.waiting?.postMessage('take');
  }
}
