/** A kiosk's connection to a hall in memory, and a scope for what follows it. */
import { effectScope } from 'vue';
import { vi } from 'vitest';
import { HallConnection, memoryIdentity } from '@qingting/client';
import type { FakeHall } from '@qingting/client/fake';
import { previewHall } from '../src/dev/harness';

export interface Bench<T> {
  readonly hall: FakeHall;
  readonly connection: HallConnection;
  readonly made: T;
  stop(): void;
}

export const soon = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Connects as the preview hall's kiosk or board and makes something on the ready line. */
export async function bench<T>(
  make: (connection: HallConnection, hall: FakeHall) => T,
  device: 'kiosk' | 'board' = 'kiosk',
): Promise<Bench<T>> {
  const hall = previewHall();
  const identity =
    device === 'kiosk'
      ? { device: 'k1', key: 'preview-kiosk' }
      : { device: 'board-1', key: 'preview-board' };
  const connection = new HallConnection({
    identity: memoryIdentity(identity),
    openSocket: hall.openSocket,
    url: 'ws://hall/hub',
    random: () => 0.5,
  });
  const scope = effectScope();
  connection.start();
  await soon();
  const made = scope.run(() => make(connection, hall)) as T;
  await soon();
  return {
    hall,
    connection,
    made,
    stop: () => {
      scope.stop();
      connection.stop();
    },
  };
}

export const CARD = {
  type: 'identity.read',
  token: 'token-1',
  masked_name: '王*民',
  bookings: [],
  priority: 'ordinary',
  masked_number: '230602********1238',
  photo: null,
  kind: 'resident_id',
} as const;
