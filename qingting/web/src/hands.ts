/**
 * Remote hands at a page (远程处置): what its hall asks of it, each act once, and what was set here from afar.
 *
 * Brightness and the screen's hours are a black sheet over the page: the panel's own light is the business of the
 * machine's agent. While a citizen is there nothing is reloaded and no picture is taken.
 */
import type { ActOrder, ActTold, HandsInForce } from './generated/contract';
import type { HallConnection, Unsubscribe } from './connection';
import { HallError } from './errors';

export interface PageHands {
  /** A citizen is being served by this page. By default: something on it says `data-citizen`. */
  readonly busy?: () => boolean;
  /** A picture of the page, base64 of a PNG or JPEG. */
  readonly picture?: () => Promise<string>;
  /** Sets how loud the page is. */
  readonly volume?: (percent: number) => void;
  /** Loads the page again. */
  readonly reload?: () => void;
}

type Outcome = Pick<ActTold, 'outcome' | 'code'>;
type Kept = Pick<HandsInForce, 'volume' | 'brightness' | 'screen_on' | 'hours' | 'utc_offset_minutes'>;

const KEPT = `qingting.hands:${location.pathname}${location.search}`;
const PART_CHARS = 48_000;
const LOOK_MS = 5_000;
/** A touch wakes a dark screen for so long. */
const AWAKE_MS = 60_000;
const DONE: Outcome = { outcome: 'done', code: '' };
const DAY_MIN = 24 * 60;

const refused = (code: string): Outcome => ({ outcome: 'refused', code });

/** Whether a screen is to be on; the same rule as `screen_is_on` of the contract. */
export function screenIsOn(
  hours: HandsInForce['hours'],
  byHand: boolean | null,
  weekday: number,
  minute: number,
): boolean {
  if (byHand !== null) return byHand;
  if (hours.length === 0) return true;
  return hours.some((span) => {
    const [on, off] = [minuteOf(span.on), minuteOf(span.off)];
    return span.days.includes(weekday) && on <= minute && (off <= on || minute < off);
  });
}

function minuteOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
}

/** Follows what the hall asks until the result is called. */
export function followHands(connection: HallConnection, page: PageHands = {}): Unsubscribe {
  const known = new Set<string>();
  const sheet = document.createElement('div');
  sheet.setAttribute('aria-hidden', 'true');
  sheet.dataset.sheet = '';
  Object.assign(sheet.style, { position: 'fixed', inset: '0', zIndex: '2147483647', background: '#000' });
  let kept = load();
  let awakeUntil = 0;
  const busy = page.busy ?? (() => document.querySelector('[data-citizen]') !== null);

  function draw(): void {
    const local = new Date(connection.clock.now() + kept.utc_offset_minutes * 60_000);
    const minute = (local.getUTCHours() * 60 + local.getUTCMinutes()) % DAY_MIN;
    const on = screenIsOn(kept.hours, kept.screen_on, local.getUTCDay() || 7, minute);
    const dark = !on && !busy() && Date.now() > awakeUntil;
    const veil = dark ? 1 : (1 - (kept.brightness ?? 100) / 100) * 0.9;
    sheet.style.opacity = String(veil);
    sheet.style.pointerEvents = dark ? 'auto' : 'none';
    if (veil > 0 && !sheet.isConnected) document.body.append(sheet);
    if (veil === 0) sheet.remove();
  }

  function putInForce(news: Partial<Kept>): void {
    kept = { ...kept, ...news };
    localStorage.setItem(KEPT, JSON.stringify(kept));
    if (kept.volume !== null) page.volume?.(kept.volume);
    draw();
  }

  async function take(order: ActOrder): Promise<void> {
    if (known.has(order.act)) return;
    known.add(order.act);
    try {
      const outcome = await carryOut(order);
      if (outcome !== null) await tell(order.act, outcome);
    } catch (fault) {
      if (!(fault instanceof HallError)) throw fault;
      // The hall will write that it was not told; nothing is done twice for that.
      reportError(fault);
    }
  }

  async function tell(act: string, outcome: Outcome): Promise<void> {
    await connection.ask({ type: 'act.told', act, ...outcome }, { key: `act.told:${act}` });
  }

  async function carryOut(order: ActOrder): Promise<Outcome | null> {
    const { action } = order;
    switch (action.do) {
      case 'brightness.set':
        putInForce({ brightness: action.percent });
        return DONE;
      case 'screen.switch':
        putInForce({ screen_on: action.on });
        return DONE;
      case 'screen.plan':
        putInForce({ hours: action.hours ?? [], screen_on: null });
        return DONE;
      case 'volume.set':
        if (page.volume === undefined) return refused('act.not_supported');
        putInForce({ volume: action.percent });
        return DONE;
      case 'browser.restart':
        if (busy()) return refused('act.in_use');
        await connection.ask({ type: 'act.going', act: order.act });
        (page.reload ?? (() => location.reload()))();
        return null;
      case 'release.use':
        return null; // followRelease's
      case 'picture.take':
        return takePicture(order.act);
      default:
        return refused('act.not_supported');
    }
  }

  async function takePicture(act: string): Promise<Outcome> {
    if (page.picture === undefined) return refused('act.not_supported');
    if (busy()) return refused('act.in_use');
    let data: string;
    try {
      data = await page.picture();
    } catch (fault) {
      reportError(fault);
      return { outcome: 'failed', code: 'act.failed' };
    }
    // Somebody may have stepped up while it was taken.
    if (busy()) return refused('act.in_use');
    const count = Math.ceil(data.length / PART_CHARS);
    for (let no = 1; no <= count; no += 1) {
      const part = data.slice((no - 1) * PART_CHARS, no * PART_CHARS);
      await connection.ask({ type: 'act.part', act, no, count, data: part });
    }
    return DONE;
  }

  function wake(): void {
    awakeUntil = Date.now() + AWAKE_MS;
    draw();
  }

  sheet.addEventListener('pointerdown', wake);
  putInForce({});
  const timer = setInterval(draw, LOOK_MS);
  const ends = [
    connection.on('act', (order) => void take(order)),
    connection.on('hands', ({ volume, brightness, screen_on, hours, utc_offset_minutes }) =>
      putInForce({ volume, brightness, screen_on, hours, utc_offset_minutes }),
    ),
  ];
  return () => {
    clearInterval(timer);
    sheet.remove();
    for (const end of ends) end();
  };
}

const NOTHING: Kept = {
  volume: null,
  brightness: null,
  screen_on: null,
  hours: [],
  utc_offset_minutes: 480,
};

/** What was in force before the page was loaded: a screen stays dark although its hall is away. */
function load(): Kept {
  try {
    return { ...NOTHING, ...(JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Kept>) };
  } catch {
    return NOTHING;
  }
}
