/** Two soft tones for what must not be missed. Browsers stay silent until the page was touched once. */
import { ref } from 'vue';

const TONES: readonly (readonly [frequency: number, at: number])[] = [
  [660, 0],
  [880, 0.18],
];
const LOUDNESS = 0.12;

export class Chime {
  /** True once tones can be heard; until then a hint asks for a touch. */
  readonly unlocked = ref(false);
  private context: AudioContext | null = null;

  /** None where the browser cannot make sounds at all. */
  get ready(): boolean | null {
    return typeof AudioContext === 'undefined' ? null : this.unlocked.value;
  }

  start(): void {
    if (typeof AudioContext === 'undefined') return;
    this.context = new AudioContext();
    const { context } = this;
    const look = (): void => {
      this.unlocked.value = context.state === 'running';
    };
    context.addEventListener('statechange', look);
    look();
    addEventListener('pointerdown', () => void context.resume().then(look), { capture: true });
  }

  ring(): void {
    const { context } = this;
    if (context === null || context.state !== 'running') return;
    for (const [frequency, at] of TONES) {
      const tone = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0 });
      const from = context.currentTime + at;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + 0.55);
    }
  }
}
