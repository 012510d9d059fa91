import { describe, expect, it } from 'vitest';
import { call } from '../src/dev/sample';
import type { AnnouncedMemory } from '../src/features/board/announcement';
import { Announcer, announcement, spokenNumber } from '../src/features/board/announcement';

const NOW = 1_000_000;

/** Says calls only when the test lets a sentence end. */
function speaker(memory: AnnouncedMemory = notepad(0)) {
  const begun: number[] = [];
  const endings: (() => void)[] = [];
  const announcer = new Announcer((one) => {
    begun.push(one.call_no);
    return new Promise((resolve) => endings.push(resolve));
  }, memory, failOn);
  return {
    begun,
    announcer,
    async end(): Promise<void> {
      endings.shift()?.();
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
}

function failOn(fault: unknown): void {
  throw fault;
}

function notepad(start: number | null): AnnouncedMemory & { value: number | null } {
  return {
    value: start,
    load() {
      return this.value;
    },
    save(no) {
      this.value = no;
    },
  };
}

describe('the sentence', () => {
  it('reads the number digit by digit and the window as a number', () => {
    expect(announcement({ number: 'A001', window_number: '3' })).toBe('请 A零零一号 到 3号窗口');
    expect(announcement({ number: 'GB120', window_number: '12' })).toBe('请 GB一二零号 到 12号窗口');
    expect(spokenNumber('Z9876543210')).toBe('Z九八七六五四三二一零');
  });
});

describe('announcements', () => {
  it('come in order and never over one another', async () => {
    const { announcer, begun, end } = speaker();
    announcer.see([call(2, 'A002', '1', NOW), call(1, 'A001', '2', NOW)], NOW);
    expect(begun).toEqual([1]);
    announcer.see([call(3, 'A003', '1', NOW), call(2, 'A002', '1', NOW)], NOW);
    expect(begun).toEqual([1]);
    await end();
    expect(begun).toEqual([1, 2]);
    await end();
    await end();
    expect(begun).toEqual([1, 2, 3]);
  });

  it('say each call once, however often the board is told of it', async () => {
    const { announcer, begun, end } = speaker();
    const one = [call(1, 'A001', '2', NOW)];
    announcer.see(one, NOW);
    announcer.see(one, NOW);
    await end();
    announcer.see(one, NOW);
    await end();
    expect(begun).toEqual([1]);
  });

  it('say a recall again, because it has a number of its own', async () => {
    const { announcer, begun, end } = speaker();
    announcer.see([call(1, 'A001', '2', NOW)], NOW);
    await end();
    announcer.see([{ ...call(2, 'A001', '2', NOW), calls: 2 }], NOW);
    expect(begun).toEqual([1, 2]);
  });

  it('do not repeat what was called before the board was switched on', () => {
    const { announcer, begun } = speaker(notepad(null));
    announcer.see([call(7, 'A007', '2', NOW)], NOW);
    announcer.see([call(8, 'A008', '2', NOW), call(7, 'A007', '2', NOW)], NOW);
    expect(begun).toEqual([8]);
  });

  it('carry on after a reload of the page with what was missed', () => {
    const { announcer, begun } = speaker(notepad(7));
    announcer.see([call(8, 'A008', '2', NOW), call(7, 'A007', '2', NOW)], NOW);
    expect(begun).toEqual([8]);
  });

  it('leave out what is over or too old', () => {
    const { announcer, begun } = speaker();
    announcer.see(
      [call(1, 'A001', '2', NOW - 600_000), call(2, 'A002', '2', NOW, false), call(3, 'A003', '2', NOW)],
      NOW,
    );
    expect(begun).toEqual([3]);
  });

  it('begin again with a new business day', () => {
    const { announcer, begun } = speaker(notepad(240));
    announcer.see([], NOW);
    announcer.see([call(1, 'A001', '2', NOW)], NOW);
    expect(begun).toEqual([1]);
  });

  it('go on after one that could not be said', async () => {
    const begun: number[] = [];
    const faults: unknown[] = [];
    const announcer = new Announcer(
      (one) => {
        begun.push(one.call_no);
        return one.call_no === 1 ? Promise.reject(new Error('no audio device')) : Promise.resolve();
      },
      notepad(0),
      (fault) => faults.push(fault),
    );
    announcer.see([call(1, 'A001', '2', NOW), call(2, 'A002', '2', NOW)], NOW);
    await new Promise((resolve) => setTimeout(resolve));
    expect(begun).toEqual([1, 2]);
    expect(faults).toEqual([new Error('no audio device')]);
  });
});
