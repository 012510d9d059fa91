import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { boardSay } from '../src/dev/sample';
import { CHECK_EVERY_MS, HallVoice } from '../src/features/board/hallVoice';
import { FLASH_MS, Voice } from '../src/features/board/voice';
import { soon } from './support';

const WORDS_MS = 3_000;
/** What came out of the loudspeaker, in order. */
let heard: string[];
let volumes: number[];
let contexts: { state: AudioContextState }[];

/** A loudspeaker that notes what it is given; words last {@link WORDS_MS}. */
function loudspeaker(): void {
  const sink = { connect: (to: unknown) => to };
  class Context {
    state: AudioContextState = 'running';
    currentTime = 0;
    destination = sink;
    constructor() {
      contexts.push(this);
    }
    resume(): Promise<void> {
      this.state = 'running';
      return Promise.resolve();
    }
    decodeAudioData(file: ArrayBuffer): Promise<{ duration: number; name: string }> {
      const name = new TextDecoder().decode(file);
      if (name === 'damaged') return Promise.reject(new Error('not a sound'));
      return Promise.resolve({ duration: WORDS_MS / 1_000, name });
    }
  }
  class Oscillator {
    connect = sink.connect;
    start(): void {
      heard.push('note');
    }
    stop(): void {}
  }
  class Gain {
    connect = sink.connect;
    gain = {
      set value(volume: number) {
        volumes.push(volume);
      },
      setValueAtTime: () => undefined,
      linearRampToValueAtTime: () => undefined,
      exponentialRampToValueAtTime: () => undefined,
    };
  }
  class Source {
    connect = sink.connect;
    onended: () => void = () => undefined;
    constructor(_context: unknown, private readonly options: { buffer: { name: string } }) {}
    start(): void {
      const { name } = this.options.buffer;
      heard.push(`${name} begins`);
      if (name === 'endless') return;
      setTimeout(() => {
        heard.push(`${name} ends`);
        this.onended();
      }, WORDS_MS);
    }
  }
  vi.stubGlobal('AudioContext', Context);
  vi.stubGlobal('OscillatorNode', Oscillator);
  vi.stubGlobal('GainNode', Gain);
  vi.stubGlobal('AudioBufferSourceNode', Source);
}

/** Voices of the machine itself. */
function machineVoice(...languages: string[]): void {
  vi.stubGlobal('SpeechSynthesisUtterance', class {
    onend: () => void = () => undefined;
    constructor(readonly text: string) {}
  });
  vi.stubGlobal('speechSynthesis', {
    getVoices: () => ['zh-CN', ...languages].map((lang) => ({ lang, localService: true })),
    speak: (words: { text: string; onend: () => void }) => {
      heard.push(`machine: ${words.text}`);
      setTimeout(() => words.onend(), 100);
    },
  });
}

const source = (available: boolean, file: string | null) => ({
  available,
  words: () => Promise.resolve(file === null ? null : new TextEncoder().encode(file).buffer),
});

beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
  volumes = [];
  contexts = [];
  loudspeaker();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const CALL = boardSay(1, 'A001', '3');
const owed = () => true;

describe('an announcement', () => {
  it('is the sound of the hall server, at the volume that the hall wants, and over when it ends', async () => {
    machineVoice();
    const over = vi.fn();
    void new Voice(source(true, 'A001')).announce(CALL, owed).then(over);
    await soon();
    expect(heard).toEqual(['A001 begins']);
    expect(volumes).toEqual([0.8]);
    expect(over).not.toHaveBeenCalled();
    await soon(WORDS_MS);
    expect(heard).toEqual(['A001 begins', 'A001 ends']);
    expect(over).toHaveBeenCalledExactlyOnceWith(true);
  });

  it('is a chime and the voice of this machine when the hall server has none', async () => {
    machineVoice();
    void new Voice(source(false, null)).announce(CALL, owed);
    await soon(2_000);
    expect(heard).toEqual(['note', 'note', 'machine: 请A001到3号窗口办理']);
  });

  it('is said in English after it where the hall wants that and the machine can', async () => {
    const call = boardSay(1, 'A001', '3', { text_en: 'A 0 0 1, window 3' });
    machineVoice();
    void new Voice(source(false, null)).announce(call, owed);
    await soon(2_000);
    expect(heard.at(-1)).toBe('machine: 请A001到3号窗口办理');
    machineVoice('en-US');
    void new Voice(source(false, null)).announce(call, owed);
    await soon(2_000);
    expect(heard.slice(-2)).toEqual(['machine: 请A001到3号窗口办理', 'machine: A 0 0 1, window 3']);
  });

  it('is the chime alone when nobody has a voice, and does not hold up the next one', async () => {
    const over = vi.fn();
    void new Voice(source(false, null)).announce(CALL, owed).then(over);
    await soon(1_200);
    expect(heard).toEqual(['note', 'note']);
    expect(over).toHaveBeenCalledExactlyOnceWith(true);
  });

  it('is said by this machine, and the fault reported, when the sound is damaged', async () => {
    machineVoice();
    const faults = vi.fn();
    vi.stubGlobal('reportError', faults);
    void new Voice(source(true, 'damaged')).announce(CALL, owed);
    await soon(2_000);
    expect(heard.at(-1)).toBe('machine: 请A001到3号窗口办理');
    expect(faults).toHaveBeenCalledOnce();
  });

  it('ends even when the loudspeaker never says so', async () => {
    const over = vi.fn();
    void new Voice(source(true, 'endless')).announce(CALL, owed).then(over);
    await soon(10_000);
    expect(over).toHaveBeenCalledOnce();
  });

  it('waits while the page may not sound, and is said after a touch', async () => {
    const voice = new Voice(source(true, 'A001'));
    for (const context of contexts) context.state = 'suspended';
    expect(voice.state).toBe('muted');
    void voice.announce(CALL, owed);
    await soon(5_000);
    expect(heard).toEqual([]);
    await voice.unlock();
    await soon(1_000);
    expect(heard).toEqual(['A001 begins']);
  });

  it('is left unsaid when it is not owed any more before the page may sound', async () => {
    const voice = new Voice(source(true, 'A001'));
    for (const context of contexts) context.state = 'suspended';
    const over = vi.fn();
    void voice.announce(CALL, () => false).then(over);
    await soon(1_000);
    expect(over).toHaveBeenCalledExactlyOnceWith(false);
    await voice.unlock();
    await soon(1_000);
    expect(heard).toEqual([]);
  });

  it('flashes for its time and makes no sound in a quiet hall, muted page or not', async () => {
    const voice = new Voice(source(true, 'A001'));
    for (const context of contexts) context.state = 'suspended';
    const over = vi.fn();
    void voice.announce(boardSay(1, 'A001', '3', { quiet: true }), owed).then(over);
    await soon(FLASH_MS - 1);
    expect(over).not.toHaveBeenCalled();
    await soon(1);
    expect(over).toHaveBeenCalledExactlyOnceWith(true);
    expect(heard).toEqual([]);
  });
});

describe('the state of the sound', () => {
  it('is on with either voice, and says when only the chime is left', () => {
    expect(new Voice(source(true, null)).state).toBe('on');
    expect(new Voice(source(false, null)).state).toBe('voiceless');
    machineVoice();
    expect(new Voice(source(false, null)).state).toBe('on');
  });
});

describe('the hall server’s voice', () => {
  let server: (path: string) => Response | Promise<Response>;
  let asked: string[];
  let voice: HallVoice;

  const says = (available: boolean) => Response.json({ available });
  const sound = () => new Response('RIFF');

  beforeEach(() => {
    asked = [];
    vi.stubGlobal('fetch', async (path: string) => {
      asked.push(path);
      return await server(path);
    });
    voice = new HallVoice();
  });

  afterEach(() => voice.stop());

  it('is not asked for words that it cannot say', async () => {
    server = () => says(false);
    voice.start();
    expect(await voice.words(7)).toBeNull();
    expect(asked).toEqual(['/voice/available']);
  });

  it('says the very first call, although nobody knew yet whether it can', async () => {
    server = (path) => (path.endsWith('available') ? says(true) : sound());
    voice.start();
    expect((await voice.words(7))?.byteLength).toBe(4);
    expect(asked).toEqual(['/voice/available', '/voice/7.wav']);
  });

  it.each([
    ['falls silent', () => new Response('', { status: 503 })],
    ['cannot be reached', () => Promise.reject(new TypeError('network'))],
  ])('is known to be gone when it %s, and found again', async (_, answer) => {
    server = (path) => (path.endsWith('available') ? says(true) : answer());
    voice.start();
    expect(await voice.words(7)).toBeNull();
    expect(voice.available).toBe(false);
    server = (path) => (path.endsWith('available') ? says(true) : sound());
    await soon(CHECK_EVERY_MS);
    expect(voice.available).toBe(true);
    expect(await voice.words(8)).not.toBeNull();
  });

  it('is still there when one call has left the board', async () => {
    server = (path) => (path.endsWith('available') ? says(true) : new Response('', { status: 404 }));
    voice.start();
    expect(await voice.words(7)).toBeNull();
    expect(voice.available).toBe(true);
  });

  it('is not taken for granted from a server that answers nonsense', async () => {
    server = () => Response.json('yes');
    voice.start();
    await soon();
    expect(voice.available).toBe(false);
  });
});
