/** The hall server's time on a device whose own clock may be wrong or may jump. */

/** Milliseconds since 1970 of the server, carried on by the device's monotonic clock. */
export class ServerClock {
  private offset: number | null = null;

  /** Takes over the `now` of a Welcome. */
  set(now: number): void {
    this.offset = now - performance.now();
  }

  /** Server time; the device's own until the server was heard for the first time. */
  now(): number {
    return this.offset === null ? Date.now() : this.offset + performance.now();
  }
}

const HALL_ZONE = 'Asia/Shanghai';

/** `14:05` in the hall's time zone. */
export function clockTime(at: number): string {
  return new Intl.DateTimeFormat('zh-CN', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: HALL_ZONE,
  }).format(at);
}

/** `11月23日 星期一` or `Monday, 23 November`. */
export function dayWords(at: number, lang: 'zh-CN' | 'en'): string {
  return new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, {
    month: 'long',
    day: 'numeric',
    weekday: 'long',
    timeZone: HALL_ZONE,
  }).format(at);
}

/** An age in words: `12 秒`, `3 分钟`, `2 小时`. */
export function ageWords(seconds: number, lang: 'zh-CN' | 'en'): string {
  const steps: readonly [number, string, string][] = [
    [3600, '小时', 'h'],
    [60, '分钟', 'min'],
    [1, '秒', 's'],
  ];
  for (const [size, zh, en] of steps) {
    if (seconds >= size || size === 1) {
      const count = Math.floor(seconds / size);
      return `${count} ${lang === 'en' ? en : zh}`;
    }
  }
  return '';
}
