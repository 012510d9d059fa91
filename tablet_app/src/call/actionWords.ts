/** What the big button says it will do, and to whom. */
import type { CurrentVisit } from '@qingting/client';
import { useI18n } from 'vue-i18n';
import { named, useLanguage } from '../shared/i18n';
import type { IconName } from '../shared/PadIcon.vue';
import type { Desk } from './desk';
import { nextHere, primaryOf } from './desk';
import type { CallPad, Notice, What } from './store';

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
        return serving(desk.visit);
    }
  }

  function serving(visit: CurrentVisit): ButtonWords {
    const here = nextHere(visit);
    if (here !== null) {
      const item = named(language.value, here.name, here.name_en);
      return {
        label: t('call.action.stay'),
        detail: t('call.action.stayDetail', { number: visit.number, item }),
        icon: 'finish',
      };
    }
    const [onward] = visit.todo;
    let detail = t('call.action.finishDetail');
    if (onward !== undefined) {
      detail = t('call.action.onwardDetail', { item: named(language.value, onward.name, onward.name_en) });
    } else if (visit.back_to !== '') detail = t('call.action.backDetail', { window: visit.back_to });
    return { label: t('call.action.finish', { number: visit.number }), detail, icon: 'finish' };
  }

  function idle(desk: Extract<Desk, { at: 'idle' }>): ButtonWords {
    if (desk.next !== null) {
      return {
        label: t('call.action.next', { number: desk.next.number }),
        detail: named(language.value, desk.next.item_name, desk.next.item_name_en),
        icon: 'call',
      };
    }
    return desk.elsewhere > 0
      ? { label: t('call.action.cannot'), detail: t('call.action.cannotDetail', { n: desk.elsewhere }), icon: 'user' }
      : { label: t('call.action.nobody'), detail: t('call.action.nobodyDetail'), icon: 'user' };
  }

  const NAMES: Readonly<Record<What, string>> = {
    take: 'call.action.take',
    resume: 'call.action.resume',
    next: 'call.action.nextAny',
    begin: 'call.action.beginPlain',
    finish: 'call.action.finishPlain',
    recall: 'call.action.recall',
    noShow: 'call.action.noShow',
    stay: 'call.action.stay',
    putBack: 'call.action.putBack',
    park: 'call.did.park',
    transfer: 'call.did.transfer',
    addItem: 'call.more.addItem',
    pick: 'call.ticketSheet.pick',
    back: 'call.did.back',
    requeue: 'call.did.requeue',
    reclass: 'call.did.reclass',
    make: 'call.more.make',
    lend: 'call.more.lend',
    move: 'call.more.move',
    password: 'call.more.password',
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
