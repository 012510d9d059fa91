/** What both pads do first: a line to the hall, words, the kept shell. */
import type { DeviceKind, Language } from '@qingting/client';
import { HallConnection, browserIdentity } from '@qingting/client';
import { CONNECTION } from '@qingting/client/vue';
import type { Component } from 'vue';
import { createApp } from 'vue';
import '@qingting/client/tokens.css';
import '@qingting/client/base.css';
import './pad.css';
import { makeI18n } from './i18n';

const SLOT = /^[a-z0-9-]{1,16}$/i;

/** `?slot=2` tells apart several pads of one kind in one browser, each paired on its own. */
export function slotOf(place: Location = location): string {
  const slot = new URLSearchParams(place.search).get('slot') ?? '';
  return SLOT.test(slot) ? slot : '';
}

/** Mounts a pad's app. `connection` is replaced by previews. */
export function startPad(
  root: Component,
  kind: DeviceKind,
  connection: HallConnection = new HallConnection({
    identity: browserIdentity(kind, slotOf()),
  }),
  language: Language = 'zh-CN',
): void {
  const app = createApp(root);
  app.use(makeI18n(language));
  app.provide(CONNECTION, connection);
  app.mount('#app');
  connection.start();
}

/** Keeps the shell on the device. Needs https or localhost; elsewhere the pad simply loads online. */
export function keepShell(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  navigator.serviceWorker.register(`${import.meta.env.BASE_URL}sw.js`).catch(reportError);
}
