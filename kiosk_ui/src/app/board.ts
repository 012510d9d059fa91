import { createApp } from 'vue';
import { CONNECTION } from '@qingting/client/vue';
import '@qingting/client/tokens.css';
import '@qingting/client/base.css';
import { createTexts } from '../i18n';
import { connect } from './connect';
import Board from '../features/board/Board.vue';
import BoardPreview from '../features/board/BoardPreview.vue';
import '../features/board/wait.css';

if (new URLSearchParams(location.search).has('preview')) {
  createApp(BoardPreview).use(createTexts()).mount('#app');
} else {
  const connection = await connect('board');
  createApp(Board, { connection }).provide(CONNECTION, connection).use(createTexts()).mount('#app');
  connection.start();
}
