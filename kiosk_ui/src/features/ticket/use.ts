/** What every step component is given. */
import { inject } from 'vue';
import { HALL } from '../../app/hall';
import { JOURNEY } from './store';

export function useStep() {
  const hall = inject(HALL);
  const journey = inject(JOURNEY);
  if (hall === undefined || journey === undefined) throw new Error('a step lives inside the kiosk');
  return { hall, journey };
}
