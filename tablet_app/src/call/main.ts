import './call.css';
import { keepShell, startPad } from '../shared/start';
import CallApp from './CallApp.vue';

startPad(CallApp, 'call_pad');
keepShell();
