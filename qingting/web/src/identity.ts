/** The identity that a device got when it was paired. */
import type { DeviceKind } from './generated/contract';

export interface DeviceIdentity {
  readonly device: string;
  readonly key: string;
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
    load: () => parseIdentity(localStorage.getItem(place)),
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
    const { device, key } = value ?? {};
    return typeof device === 'string' && typeof key === 'string' ? { device, key } : null;
  } catch {
    // A damaged entry is as good as none: the screen asks for pairing.
    return null;
  }
}
