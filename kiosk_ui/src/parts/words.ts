/** Words that several steps say alike. */
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import type { DeviceView, ErrorParams, Interval, ItemView, Language, Problem, QueueView } from '@qingting/client';
import { clockTime, conditionWords, dayWords, errorSentence, problemSentence } from '@qingting/client';
import { stopping } from '../app/hall';

/** What a ticket for an item would be told: the item's own wait when it differs from its queue's. */
function waitFor(queue: QueueView | null, item: string): Interval | null {
  return queue === null ? null : (queue.items[item] ?? queue.wait);
}

export function useWords() {
  const { t, te, locale } = useI18n();
  const lang = computed(() => locale.value as Language);

  const dateWords = (iso: string): string =>
    dayWords(Date.parse(`${iso}T12:00:00+08:00`), lang.value);

  /** Parameters of a refusal for people: names of their language, dates in words, unknown as unknown. */
  function told(params: ErrorParams): ErrorParams {
    const entries = Object.entries(params).map(([name, value]) => {
      const own = lang.value === 'en' ? (params[`${name}_en`] ?? value) : value;
      if (own === '—' || own === '') return [name, t('when.unknown')] as const;
      const date = typeof own === 'string' ? /^(\d{4}-\d\d-\d\d)( \d\d:\d\d)?$/.exec(own) : null;
      return [name, date === null ? own : `${dateWords(date[1] ?? '')}${date[2] ?? ''}`] as const;
    });
    return Object.fromEntries(entries);
  }

  function minutes({ low, high }: Interval, atOnce: string): string {
    if (low === 0) return t(atOnce);
    return low === high ? t('wait.about', { high }) : t('wait.range', { low, high });
  }

  return {
    t,
    te,
    lang,
    /** The name in the reader's language. */
    named: (one: { readonly name: string; readonly name_en: string }): string =>
      lang.value === 'en' && one.name_en !== '' ? one.name_en : one.name,
    /** 约 12–20 分钟 for somebody who would join the queue now, or honestly why nobody can say. */
    queueWait(queue: QueueView, item = ''): string {
      const wait = waitFor(queue, item);
      if (wait !== null) return minutes(wait, 'wait.none');
      return t(queue.windows_open === 0 ? 'wait.noWindow' : 'wait.unknown');
    },
    /** The same for a ticket, in the words that its paper uses. */
    ticketWait(interval: Interval | null): string {
      return interval === null ? t('wait.unknown') : minutes(interval, 'wait.soon');
    },
    waitFor,
    /** Why an item cannot be taken now: a sentence, or two words for a list. */
    why(item: ItemView, size: 'long' | 'short'): string {
      if (size === 'long') return errorSentence(item.why, told(item.why_params), lang.value);
      const key = `why.${item.why.split('.').at(-1) ?? ''}`;
      return te(key) ? t(key) : t('items.closed');
    },
    /** A refusal in the reader's language, with dates as people say them. */
    sentence: (problem: Problem): string =>
      problemSentence({ code: problem.code, params: told(problem.params) }, lang.value),
    /** 今天 10:00–10:30, or the date when it is another day. */
    span(start: number, end: number, now: number): string {
      const hours = `${clockTime(start)}–${clockTime(end)}`;
      const day = dayWords(start, lang.value);
      return day === dayWords(now, lang.value) ? t('when.today', { hours }) : `${day} ${hours}`;
    },
    /** What is wrong with a device, in a few words. */
    fault(device: DeviceView): string {
      const named = stopping(device)
        .map((condition) => conditionWords(condition, lang.value).word)
        .join('、');
      return named === '' ? t(`service.state.${device.state}`) : named;
    },
  };
}
