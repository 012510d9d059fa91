/**
 * Sound of the board: always a soft chime, then words. The hall server's voice comes first, because it
 * is the same on every board; then a Chinese voice of this machine; without either the chime is all.
 */

export type SoundState = 'on' | 'voiceless' | 'muted';

/** Where sound of words comes from: {@link HallVoice}, or a test's own. */
export interface WordSource {
  readonly available: boolean;
  words(callNo: number): Promise<ArrayBuffer | null>;
}

const SPEECH_AT_MOST_MS = 12_000;
/** After the end that a sound should have; an audio device that was pulled never reports one. */
const OVERTIME_MS = 1_500;
const NOTES = [
  { hertz: 659.25, at: 0, seconds: 0.7 },
  { hertz: 523.25, at: 0.32, seconds: 1.1 },
] as const;

/** A browser lets a page sound only after a touch, unless it was started for a kiosk. */
export class Voice {
  private readonly context = new AudioContext();

  constructor(private readonly source: WordSource) {}

  /** What can be heard now. */
  get state(): SoundState {
    if (this.context.state !== 'running') return 'muted';
    return this.source.available || chineseVoice() !== null ? 'on' : 'voiceless';
  }

  /** Call from a touch: browsers then let the page sound. */
  async unlock(): Promise<void> {
    await this.context.resume();
  }

  /** Chime, then the words of the call; resolves when both are over. Silent while muted. */
  async announce(text: string, callNo: number): Promise<void> {
    if (this.context.state !== 'running') return;
    // Fetched while the chime sounds, so that the words follow it at once.
    const [sound] = await Promise.all([this.fetch(callNo), this.chime()]);
    if (sound === null) await speak(text);
    else await this.play(sound);
  }

  private async fetch(callNo: number): Promise<AudioBuffer | null> {
    const file = await this.source.words(callNo);
    if (file === null) return null;
    try {
      return await this.context.decodeAudioData(file);
    } catch (fault) {
      // The words can still be said by this machine; why these could not is for the log.
      reportError(fault);
      return null;
    }
  }

  private async play(sound: AudioBuffer): Promise<void> {
    const words = new AudioBufferSourceNode(this.context, { buffer: sound });
    const over = new Promise<void>((resolve) => {
      words.onended = () => resolve();
    });
    words.connect(this.context.destination);
    words.start();
    await Promise.race([over, pause(sound.duration * 1_000 + OVERTIME_MS)]);
  }

  private async chime(): Promise<void> {
    const start = this.context.currentTime + 0.02;
    for (const note of NOTES) this.note(note.hertz, start + note.at, note.seconds);
    await pause(1_150);
  }

  private note(hertz: number, at: number, seconds: number): void {
    const tone = new OscillatorNode(this.context, { type: 'sine', frequency: hertz });
    const volume = new GainNode(this.context, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.28, at + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    tone.connect(volume).connect(this.context.destination);
    tone.start(at);
    tone.stop(at + seconds);
  }
}

function chineseVoice(): SpeechSynthesisVoice | null {
  if (!('speechSynthesis' in window)) return null;
  const voices = speechSynthesis.getVoices().filter((voice) => voice.lang.startsWith('zh'));
  // Voices on this machine first: a hall has no Internet.
  return voices.find((voice) => voice.localService) ?? voices[0] ?? null;
}

async function speak(text: string): Promise<void> {
  const voice = chineseVoice();
  if (voice === null) return;
  const words = new SpeechSynthesisUtterance(text);
  words.voice = voice;
  words.lang = voice.lang;
  words.rate = 0.9;
  const over = new Promise<void>((resolve) => {
    words.onend = () => resolve();
    words.onerror = () => resolve();
  });
  speechSynthesis.speak(words);
  // Some engines never say that they are done; the next call must not wait for ever.
  await Promise.race([over, pause(SPEECH_AT_MOST_MS)]);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
