/** The camera as the browser has it: open, shut, and why there is no picture. */
import type { Condition } from '@qingting/client';
import type { CameraHow } from './how';

/** What is wrong with a camera; `offline` means that there is none. */
export type CameraTrouble = Extract<
  Condition,
  'offline' | 'camera_busy' | 'camera_blocked' | 'camera_fault' | 'too_dark'
>;

export class CameraError extends Error {
  constructor(readonly trouble: CameraTrouble) {
    super(trouble);
  }
}

const PICTURE_MS = 6_000;

/** The names are those of W3C Media Capture and Streams. */
export function troubleOf(fault: unknown): CameraTrouble {
  const name = fault instanceof Error || fault instanceof DOMException ? fault.name : '';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'offline';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'camera_blocked';
  if (name === 'NotReadableError' || name === 'AbortError') return 'camera_busy';
  return 'camera_fault';
}

/** The wanted one of the cameras: the first whose name fits; names are hidden until a camera was opened once. */
function wanted(devices: readonly MediaDeviceInfo[], label: string): MediaDeviceInfo | null {
  const cameras = devices.filter((one) => one.kind === 'videoinput');
  if (label === '') return cameras[0] ?? null;
  const pattern = new RegExp(label);
  const named = cameras.some((one) => one.label !== '');
  return cameras.find((one) => pattern.test(one.label)) ?? (named ? null : (cameras[0] ?? null));
}

/** Whether there is a camera that may be opened; nothing is opened for that. */
export async function lookForCamera(label: string): Promise<CameraTrouble | null> {
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (media === undefined) return 'camera_blocked'; // no secure context: see the operators' page on cameras
  const found = wanted(await media.enumerateDevices(), label);
  if (found === null) return 'offline';
  const permission = await navigator.permissions
    .query({ name: 'camera' as PermissionName })
    .catch(() => null);
  return permission?.state === 'denied' ? 'camera_blocked' : null;
}

/** Opens the camera in `video` and waits for its picture; rejects with a CameraError. Call the result to shut it. */
export async function openCamera(video: HTMLVideoElement, how: CameraHow): Promise<() => void> {
  const trouble = await lookForCamera(how.camera.label);
  if (trouble !== null) throw new CameraError(trouble);
  const stream = await streamOf(how);
  const shut = (): void => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  video.srcObject = stream;
  try {
    await Promise.race([
      video.play(),
      new Promise((_, reject) => setTimeout(() => reject(new CameraError('camera_fault')), PICTURE_MS)),
    ]);
  } catch (fault) {
    shut();
    throw fault instanceof CameraError ? fault : new CameraError(troubleOf(fault));
  }
  return shut;
}

async function streamOf({ camera }: CameraHow): Promise<MediaStream> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const device = wanted(devices, camera.label);
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: {
        width: { ideal: camera.width },
        height: { ideal: camera.height },
        ...(device !== null && device.deviceId !== '' ? { deviceId: { exact: device.deviceId } } : {}),
      },
    });
  } catch (fault) {
    throw new CameraError(troubleOf(fault));
  }
}
