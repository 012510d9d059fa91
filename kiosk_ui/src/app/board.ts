import { createApp } from 'vue';
import { CONNECTION } from '@qingting/client/vue';
import '@qingting/client/tokens.css';
import '@qingting/client/base.css';
import { createTexts } from '../i18n';
import { connect } from './connect';
import Board from '../features/board/Board.vue';

const connection = await connect('board');
createApp(Board, { connection }).provide(CONNECTION, connection).use(createTexts()).mount('#app');
connection.start();
