/** The kiosk's own screens in a frame of the manager's pages: what a template that is being edited makes of them. */
import type { App } from 'vue';
import { createApp } from 'vue';
import { HallConnection, memoryIdentity } from '@qingting/client';
import { CONNECTION } from '@qingting/client/vue';
import '@qingting/client/tokens.css';
import '@qingting/client/base.css';
import '../app/kiosk.css';
import Kiosk from '../app/Kiosk.vue';
import { createTexts } from '../i18n';
import type { Look } from './line';
import { LOOK_DEVICE, LookLine } from './line';

let shown: { app: App; connection: HallConnection } | null = null;

function show(look: Look): void {
  shown?.app.unmount();
  shown?.connection.stop();
  const connection = new HallConnection({
    identity: memoryIdentity({ device: LOOK_DEVICE, key: LOOK_DEVICE }),
    openSocket: () => new LookLine(look),
    url: 'look:',
  });
  const app = createApp(Kiosk, { connection }).provide(CONNECTION, connection).use(createTexts());
  app.mount('#app');
  connection.start();
  shown = { app, connection };
}

window.addEventListener('message', (event: MessageEvent<{ readonly look?: string }>) => {
  if (event.origin !== location.origin || typeof event.data.look !== 'string') return;
  show(JSON.parse(event.data.look) as Look);
});
window.parent.postMessage({ ready: true }, location.origin);
