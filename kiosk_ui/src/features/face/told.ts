import type { InjectionKey } from 'vue';
import type { CameraTrouble } from './camera';

/** What a check found out about the camera. */
export const CAMERA_TOLD: InjectionKey<(trouble: CameraTrouble | null) => void> = Symbol('camera told');
