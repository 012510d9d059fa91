/** What the big button says it will do, and to whom. */
import { useI18n } from 'vue-i18n';
import { named, useLanguage } from '../shared/i18n';
import type { IconName } from '../shared/PadIcon.vue';
import type { Action, Desk } from './desk';
import { primaryOf } from './desk';
import type { CallPad, Notice } from './store';

export interface ButtonWords {
  readonly label: string;
  readonly detail: string;
  readonly icon: IconName;
}

export interface ActionWords {
  /** The next step of a desk; `number` is the window's. */
  primary(desk: Desk, number: string): ButtonWords;
  /** An action by its bare name, for sentences. */
  nameOf(what: Notice['what']): string;
}

export function useActionWords(): ActionWords {
  const { t } = useI18n();
  const language = useLanguage();

  function primary(desk: Desk, number: string): ButtonWords {
    switch (desk.at) {
      case 'loading':
        return { label: t('common.connecting'), detail: '', icon: 'link' };
      case 'taken':
        return { label: t('call.action.taken'), detail: t('call.action.takenDetail', { name: desk.by }), icon: 'user' };
      case 'closed':
        return { label: t('call.action.take'), detail: t('call.action.takeDetail', { window: number }), icon: 'open' };
      case 'paused':
        return { label: t('call.action.resume'), detail: t('call.action.resumeDetail', { window: number }), icon: 'begin' };
      case 'idle':
        return idle(desk);
      case 'called': {
        const { masked_name: name } = desk.visit;
        return {
          label: t('call.action.begin', { number: desk.visit.number }),
          detail: name === '' ? t('call.action.beginDetailPlain') : t('call.action.beginDetail', { name }),
          icon: 'begin',
        };
      }
      case 'serving':
        return {
          label: t('call.action.finish', { number: desk.visit.number }),
          detail: t('call.action.finishDetail'),
          icon: 'finish',
        };
    }
  }

  function idle(desk: Extract<Desk, { at: 'idle' }>): ButtonWords {
    if (primaryOf(desk) === null) {
      return { label: t('call.action.nobody'), detail: t('call.action.nobodyDetail'), icon: 'user' };
    }
    if (desk.next === null) return { label: t('call.action.nextAny'), detail: '', icon: 'call' };
    return {
      label: t('call.action.next', { number: desk.next.number }),
      detail: named(language.value, desk.next.item_name, desk.next.item_name_en),
      icon: 'call',
    };
  }

  const NAMES: Readonly<Record<Action | 'login' | 'help', string>> = {
    take: 'call.action.take',
    resume: 'call.action.resume',
    next: 'call.action.nextAny',
    begin: 'call.action.beginPlain',
    finish: 'call.action.finishPlain',
    recall: 'call.action.recall',
    noShow: 'call.action.noShow',
    pause: 'call.menu.pause',
    leave: 'call.menu.leave',
    logout: 'call.menu.logout',
    login: 'call.login.submit',
    help: 'call.help.done',
  };

  return { primary, nameOf: (what) => t(NAMES[what]) };
}

/** Whether the big button can be pressed now. */
export function primaryEnabled(pad: CallPad): boolean {
  const action = primaryOf(pad.desk.value);
  return action !== null && pad.can(action);
}
