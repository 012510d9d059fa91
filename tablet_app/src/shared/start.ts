/** What both pads do first: a line to the hall, words, the kept shell, the tablet's own state. */
import type { DeviceKind, Language } from '@qingting/client';
import { HallConnection, browserIdentity, followHands, followRelease } from '@qingting/client';
import { CONNECTION } from '@qingting/client/vue';
import type { Component } from 'vue';
import { createApp } from 'vue';
import '@qingting/client/tokens.css';
import '@qingting/client/base.css';
import './pad.css';
import { WakeKeeper } from './awake';
import { BUILD } from './build';
import { keepContact } from './contact';
import { PadDevice, reportDevice } from './device';
import { CHIME, REST } from './gear';
import { makeI18n } from './i18n';
import { QUIET_MS } from './renewal';
import { keepShell } from './shell';
import { Chime } from './sound';

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
    build: BUILD,
  }),
  language: Language = 'zh-CN',
): void {
  const app = createApp(root);
  const chime = new Chime();
  const wake = new WakeKeeper();
  const device = new PadDevice();
  const rest = { idle: false };
  app.use(makeI18n(language));
  app.provide(CONNECTION, connection);
  app.provide(CHIME, chime);
  app.provide(REST, rest);
  app.mount('#app');
  chime.start();
  wake.start();
  keepContact(connection);
  reportDevice(connection, device, { awake: () => wake.held, sound: () => chime.ready });
  void keepShell(connection, { idle: () => rest.idle, quietMs: () => device.quietMs });
  followHands(connection);
  followRelease(connection, {
    build: BUILD,
    idle: () => rest.idle,
    quietMs: () => device.quietMs,
    calmMs: QUIET_MS,
  });
  connection.start();
}
