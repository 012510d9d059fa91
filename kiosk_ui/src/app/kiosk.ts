import { createApp } from 'vue';
import { followHands } from '@qingting/client';
import { CONNECTION } from '@qingting/client/vue';
import '@qingting/client/tokens.css';
import '@qingting/client/base.css';
import './kiosk.css';
import { createTexts } from '../i18n';
import { connect } from './connect';
import Kiosk from './Kiosk.vue';
import { pictureOfKiosk } from './picture';

const connection = await connect('kiosk');
createApp(Kiosk, { connection }).provide(CONNECTION, connection).use(createTexts()).mount('#app');
followHands(connection, { picture: pictureOfKiosk });
connection.start();
// A long press is a citizen's finger, not a wish for the browser's menu.
document.addEventListener('contextmenu', (event) => event.preventDefault());
