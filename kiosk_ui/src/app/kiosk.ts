import { createApp } from 'vue';
import { followHands, followRelease } from '@qingting/client';
import { CONNECTION } from '@qingting/client/vue';
import '@qingting/client/tokens.css';
import '@qingting/client/base.css';
import './kiosk.css';
import { createTexts } from '../i18n';
import { BUILD } from './build';
import { connect } from './connect';
import Kiosk from './Kiosk.vue';
import { pictureOfKiosk } from './picture';

/** Nobody has touched the kiosk for so long: who walks up now has not begun. */
const CALM_MS = 10_000;
const connection = await connect('kiosk');
createApp(Kiosk, { connection }).provide(CONNECTION, connection).use(createTexts()).mount('#app');
followHands(connection, { picture: pictureOfKiosk });
let touchedAt = Date.now();
document.addEventListener('pointerdown', () => (touchedAt = Date.now()), { capture: true, passive: true });
followRelease(connection, {
  build: BUILD,
  idle: () => document.querySelector('[data-citizen]') === null,
  quietMs: () => Date.now() - touchedAt,
  calmMs: CALM_MS,
});
connection.start();
// A long press is a citizen's finger, not a wish for the browser's menu.
document.addEventListener('contextmenu', (event) => event.preventDefault());
