/** Tells the hall how this kiosk's camera is, once a change: nobody else can see it. */
import { computed, onScopeDispose, watch } from 'vue';
import type { HallConnection } from '@qingting/client';
import { HallError, newKey } from '@qingting/client';
import type { Hall } from '../../app/hall';
import { lookForCamera } from './camera';
import type { CameraTrouble } from './camera';

const LOOK_MS = 60_000;

/** Lives as long as the calling scope. What a check finds out is told by `told`. */
export function useCameraReport(connection: HallConnection, hall: Hall) {
  const device = computed(() => hall.kiosk.value?.camera?.device ?? null);
  const line = computed(() => (hall.status.value.state === 'ready' ? hall.status.value.welcome : null));
  /** What the last check found, which a look without opening cannot. */
  let found: CameraTrouble | null = null;
  let last: string | null = null;

  function tell(trouble: CameraTrouble | null): void {
    const camera = device.value;
    if (camera === null || line.value === null || last === (trouble ?? '')) return;
    last = trouble ?? '';
    const state = trouble === null ? 'ready' : trouble === 'offline' ? 'absent' : 'degraded';
    const conditions = trouble === null ? [] : [trouble];
    connection
      .ask({ type: 'device.report', device: camera, kind: 'camera', state, conditions }, { key: newKey() })
      .catch((fault: unknown) => {
        last = null;
        if (!(fault instanceof HallError)) reportError(fault);
      });
  }

  function told(trouble: CameraTrouble | null): void {
    found = trouble;
    tell(trouble);
  }

  async function look(): Promise<void> {
    if (device.value === null || line.value === null) return;
    tell((await lookForCamera('')) ?? found);
  }

  function plugged(): void {
    found = null;
    void look();
  }

  const media = navigator.mediaDevices as MediaDevices | undefined;
  const timer = setInterval(() => void look(), LOOK_MS);
  media?.addEventListener('devicechange', plugged);
  // The hall forgets with the connection.
  watch([device, line], () => {
    last = null;
    void look();
  }, { immediate: true });
  onScopeDispose(() => {
    clearInterval(timer);
    media?.removeEventListener('devicechange', plugged);
  });
  return { told };
}
