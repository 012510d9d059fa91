/** The models that find and describe faces, loaded when somebody is to be compared and not before. */
import type * as FaceApi from '@vladmandic/face-api';
import { nearest } from './judge';
import type { Face, Sight } from './judge';

const MODELS = '/faces';
/** Dots of the square in which faces are sought; more finds smaller ones and takes longer. */
const SOUGHT_IN = 224;
const SURE = 0.4;
/** A card's photo holds one face for certain; it is small and coarse. */
const SURE_ON_PHOTO = 0.15;
const PHOTO_SCALE = 3;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

let loaded: Promise<Eyes> | null = null;

/** Rejects when the models cannot be loaded; the next call tries anew. */
export function loadEyes(): Promise<Eyes> {
  loaded ??= open().catch((fault: unknown) => {
    loaded = null;
    throw fault;
  });
  return loaded;
}

/** A graphics chip that is imitated in software is slower than plain arithmetic. */
function hasGraphics(): boolean {
  const gl = document.createElement('canvas').getContext('webgl');
  const info = gl?.getExtension('WEBGL_debug_renderer_info');
  if (gl === null || info === null || info === undefined) return false;
  return !SOFTWARE.test(String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)));
}

interface Backends {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
}

async function open(): Promise<Eyes> {
  const api = await import('@vladmandic/face-api');
  const tf = api.tf as unknown as Backends;
  await tf.setBackend(hasGraphics() ? 'webgl' : 'cpu');
  await tf.ready();
  const { tinyFaceDetector, faceLandmark68Net, faceRecognitionNet } = api.nets;
  await Promise.all([tinyFaceDetector, faceLandmark68Net, faceRecognitionNet].map((net) => net.loadFromUri(MODELS)));
  return new Eyes(api);
}

export class Eyes {
  private readonly small = document.createElement('canvas');

  constructor(private readonly api: typeof FaceApi) {
    this.small.width = 32;
    this.small.height = 24;
  }

  async look(video: HTMLVideoElement): Promise<Sight> {
    const { videoWidth: width, videoHeight: height } = video;
    const found = await this.api
      .detectAllFaces(video, new this.api.TinyFaceDetectorOptions({ inputSize: SOUGHT_IN, scoreThreshold: SURE }))
      .withFaceLandmarks();
    const faces = found.map(({ detection, landmarks }): Face => {
      const { box } = detection;
      return {
        left: box.x / width,
        top: box.y / height,
        width: box.width / width,
        height: box.height / height,
        marks: landmarks.positions.map((one) => ({ x: one.x / width, y: one.y / height })),
      };
    });
    return { faces, brightness: this.brightness(video, nearest(faces)) };
  }

  /** Of the face, where there is one: a dark wall behind it does no harm, a bright window does not help. */
  private brightness(video: HTMLVideoElement, face: Face | null): number {
    const { videoWidth, videoHeight } = video;
    const { width, height } = this.small;
    const context = this.small.getContext('2d', { willReadFrequently: true });
    if (context === null) return 255;
    const part = face ?? { left: 0, top: 0, width: 1, height: 1 };
    context.drawImage(
      video,
      part.left * videoWidth,
      part.top * videoHeight,
      part.width * videoWidth,
      part.height * videoHeight,
      0,
      0,
      width,
      height,
    );
    const { data } = context.getImageData(0, 0, width, height);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) {
      sum += 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
    }
    context.clearRect(0, 0, width, height);
    return sum / (width * height);
  }

  /** The 128 numbers of the clearest face; null when there is none. */
  async describe(picture: HTMLVideoElement | HTMLCanvasElement, sure = SURE): Promise<Float32Array | null> {
    const found = await this.api
      .detectSingleFace(picture, new this.api.TinyFaceDetectorOptions({ inputSize: SOUGHT_IN, scoreThreshold: sure }))
      .withFaceLandmarks()
      .withFaceDescriptor();
    return found?.descriptor ?? null;
  }

  /** The face on a card's photo; null when there is none. The picture is wiped. */
  async describePhoto(photo: Blob): Promise<Float32Array | null> {
    const picture = await createImageBitmap(photo);
    const canvas = document.createElement('canvas');
    canvas.width = picture.width * PHOTO_SCALE;
    canvas.height = picture.height * PHOTO_SCALE;
    const context = canvas.getContext('2d');
    try {
      context?.drawImage(picture, 0, 0, canvas.width, canvas.height);
      return await this.describe(canvas, SURE_ON_PHOTO);
    } finally {
      picture.close();
      canvas.width = canvas.height = 0;
    }
  }

  distance(one: Float32Array, other: Float32Array): number {
    return this.api.euclideanDistance(one, other);
  }
}
