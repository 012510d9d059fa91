/**
 * Sound of the board, one call at a time. The hall server's announcement comes first, because it is the
 * same on every board; else a soft chime and the voices of this machine; without either the chime is
 * all. A quiet hall flashes instead.
 */
import type { BoardSay } from '@qingting/client';

export type SoundState = 'on' | 'voiceless' | 'muted';

/** Where announcements come from: {@link HallVoice}, or a test's own. */
export interface WordSource {
  readonly available: boolean;
  words(callNo: number): Promise<ArrayBuffer | null>;
}

/** How long a call flashes where there is no sound, in place of an announcement. */
export const FLASH_MS = 4_000;
const SPEECH_AT_MOST_MS = 12_000;
/** After the end that a sound should have; an audio device that was pulled never reports one. */
const OVERTIME_MS = 1_500;
const UNLOCK_CHECK_MS = 500;
const NOTES = [
  { hertz: 659.25, at: 0, seconds: 0.7 },
  { hertz: 523.25, at: 0.32, seconds: 1.1 },
] as const;

/** A browser lets a page sound only after a touch, unless it was started for a kiosk. */
export class Voice {
  private readonly context = new AudioContext();
  private readonly out = new GainNode(this.context);

  /** Set from afar, a share of what the hall's hours say. */
  loudness = 1;

  constructor(private readonly source: WordSource) {
    this.out.connect(this.context.destination);
  }

  /** What can be heard now. */
  get state(): SoundState {
    if (this.context.state !== 'running') return 'muted';
    return this.source.available || voiceOf('zh') !== null ? 'on' : 'voiceless';
  }

  /** Call from a touch: browsers then let the page sound. */
  async unlock(): Promise<void> {
    await this.context.resume();
  }

  /**
   * Says the call; resolves when it is over. While the page may not sound yet it waits as long as the call
   * is `owed`: the hall takes it off the list when it has become too old, and until then somebody may touch
   * the screen. False = it was left unsaid.
   */
  async announce(call: BoardSay, owed: () => boolean): Promise<boolean> {
    while (!call.quiet && this.context.state !== 'running') {
      if (!owed()) return false;
      await pause(UNLOCK_CHECK_MS);
    }
    await (call.quiet ? pause(FLASH_MS) : this.speak(call));
    return true;
  }

  private async speak(call: BoardSay): Promise<void> {
    this.out.gain.value = (call.volume / 100) * this.loudness;
    const sound = await this.fetch(call.call_no);
    if (sound !== null) return this.play(sound);
    await this.chime();
    await speakHere(call.text, 'zh', call.volume * this.loudness);
    if (call.text_en) await speakHere(call.text_en, 'en', call.volume * this.loudness);
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
    words.connect(this.out);
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
    tone.connect(volume).connect(this.out);
    tone.start(at);
    tone.stop(at + seconds);
  }
}

function voiceOf(language: 'zh' | 'en'): SpeechSynthesisVoice | null {
  if (!('speechSynthesis' in window)) return null;
  const voices = speechSynthesis.getVoices().filter((voice) => voice.lang.startsWith(language));
  // Voices on this machine first: a hall has no Internet.
  return voices.find((voice) => voice.localService) ?? voices[0] ?? null;
}

/** `volume` in percent. Without a voice of that language nothing is said. */
async function speakHere(text: string, language: 'zh' | 'en', volume: number): Promise<void> {
  const voice = voiceOf(language);
  if (voice === null) return;
  const words = new SpeechSynthesisUtterance(text);
  words.voice = voice;
  words.lang = voice.lang;
  words.rate = 0.9;
  words.volume = volume / 100;
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
