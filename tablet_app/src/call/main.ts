import './call.css';
import { startPad } from '../shared/start';
import CallApp from './CallApp.vue';

startPad(CallApp, 'call_pad');
