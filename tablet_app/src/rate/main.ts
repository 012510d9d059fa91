import { startPad } from '../shared/start';
import RateApp from './RateApp.vue';

startPad(RateApp, 'rating_pad');
