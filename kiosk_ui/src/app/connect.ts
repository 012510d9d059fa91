/** The line of a screen to its hall. */
import type { DeviceKind } from '@qingting/client';
import { HallConnection, browserIdentity } from '@qingting/client';
import { BUILD } from './build';

/**
 * Connects as the device of `kind` that this browser was paired as. `?slot=2` tells apart several of
 * one kind in one browser. In the preview bundle `?fake=1` brings a hall in memory instead.
 */
export async function connect(kind: DeviceKind): Promise<HallConnection> {
  const query = new URLSearchParams(location.search);
  if (import.meta.env.MODE === 'preview' && query.has('fake')) {
    const { previewConnection } = await import('../dev/harness');
    return previewConnection(kind);
  }
  return new HallConnection({ identity: browserIdentity(kind, query.get('slot') ?? ''), build: BUILD });
}
