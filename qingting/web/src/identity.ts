/** The identity that a device got when it was paired. */
import type { DeviceKind } from './generated/contract';
import { newKey } from './keys';

export interface DeviceIdentity {
  readonly device: string;
  readonly key: string;
  /** A random word of this installation, kept with the key: tells a reload from a copy of the key. */
  readonly install?: string;
  /** The hall's last token: goes with the next connection, and tells a reload from a copy of this storage. */
  readonly token?: string;
}

/** Where a device keeps who it is. Tests and previews bring their own. */
export interface IdentityStore {
  load(): DeviceIdentity | null;
  save(identity: DeviceIdentity): void;
  clear(): void;
}

/**
 * Identity in the browser's storage. Each kind of device has its own place, and `slot` tells apart
 * several devices of one kind in one browser (two call pads side by side in a demonstration).
 */
export function browserIdentity(kind: DeviceKind, slot = ''): IdentityStore {
  const place = `qingting.identity.${kind}${slot === '' ? '' : `.${slot}`}`;
  return {
    load: () => {
      const known = parseIdentity(localStorage.getItem(place));
      if (known === null || known.install !== undefined) return known;
      const named = { ...known, install: newKey() };
      localStorage.setItem(place, JSON.stringify(named));
      return named;
    },
    save: (identity) => localStorage.setItem(place, JSON.stringify(identity)),
    clear: () => localStorage.removeItem(place),
  };
}

/** Identity that is forgotten with the page. */
export function memoryIdentity(identity: DeviceIdentity | null = null): IdentityStore {
  let kept = identity;
  return {
    load: () => kept,
    save: (next) => {
      kept = next;
    },
    clear: () => {
      kept = null;
    },
  };
}

function parseIdentity(text: string | null): DeviceIdentity | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<DeviceIdentity> | null;
    const { device, key, install, token } = value ?? {};
    if (typeof device !== 'string' || typeof key !== 'string') return null;
    return {
      device,
      key,
      ...(typeof install === 'string' && { install }),
      ...(typeof token === 'string' && { token }),
    };
  } catch {
    // A damaged entry is as good as none: the screen asks for pairing.
    return null;
  }
}
