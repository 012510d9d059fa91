/** What the tablet itself tells: battery, network, screen, last touch. Unknown is null, never a guess. */
import type { HallConnection, PadFacts } from '@qingting/client';
import { BUILD } from './build';

interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}
type Tablet = Navigator & {
  readonly getBattery?: () => Promise<Battery>;
  readonly connection?: EventTarget & { readonly type?: string };
};
const NETWORKS: ReadonlySet<string> = new Set(['wifi', 'ethernet', 'cellular']);

export const EVERY_MS = 60_000;
const SOON_MS = 1_500;

/** What others on the pad know better. */
export interface Gear {
  readonly awake: () => boolean | null;
  readonly sound: () => boolean | null;
}

/** Facts of the device, and the moment of the last touch by this machine's clock. */
export class PadDevice {
  private battery: Battery | null = null;
  private touchedAt: number | null = null;
  private readonly startedAt = Date.now();

  constructor(private readonly tablet: Tablet = navigator) {}

  /** Calls `changed` whenever something of interest may be different. */
  watch(changed: () => void): void {
    addEventListener('pointerdown', () => (this.touchedAt = Date.now()), { capture: true });
    document.addEventListener('visibilitychange', changed);
    this.tablet.connection?.addEventListener('change', changed);
    void this.tablet.getBattery?.().then((battery) => {
      this.battery = battery;
      battery.addEventListener('chargingchange', changed);
      changed();
    });
  }

  get quietMs(): number {
    return Date.now() - (this.touchedAt ?? this.startedAt);
  }

  /** `rtt` and `now` are the line's: its last round trip, and the hall's clock. */
  facts(rtt: number | null, now: number, gear: Gear): PadFacts {
    const type = this.tablet.connection?.type ?? '';
    return {
      battery: this.battery === null ? null : Math.round(this.battery.level * 100),
      charging: this.battery?.charging ?? null,
      network: NETWORKS.has(type) ? type : '',
      rtt,
      visible: document.visibilityState === 'visible',
      focused: document.hasFocus(),
      touched: this.touchedAt === null ? null : now - (Date.now() - this.touchedAt),
      build: BUILD,
      installed: ['fullscreen', 'standalone'].some(
        (mode) => matchMedia(`(display-mode: ${mode})`).matches,
      ),
      awake: gear.awake(),
      sound: gear.sound(),
      screen: `${screen.width}x${screen.height}@${Number(devicePixelRatio.toFixed(2))}`,
    };
  }
}

/** Reports after connecting, soon after a change, and once a minute. A lost report is not repeated: the next
 * one says more. */
export function reportDevice(connection: HallConnection, device: PadDevice, gear: Gear): void {
  let rtt: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function report(): Promise<void> {
    clearTimeout(timer);
    timer = setTimeout(() => void report(), EVERY_MS);
    if (connection.status.state !== 'ready') return;
    const began = performance.now();
    const facts = device.facts(rtt, connection.clock.now(), gear);
    try {
      await connection.ask({ type: 'pad.report', facts });
      rtt = Math.round(performance.now() - began);
    } catch {
      rtt = null; // the line broke, or the hall is older than this program
    }
  }

  function soon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void report(), SOON_MS);
  }

  device.watch(soon);
  let before = '';
  connection.onStatus(({ state }) => {
    if (state === 'ready' && before !== 'ready') soon();
    before = state;
  });
}
