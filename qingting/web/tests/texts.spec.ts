import { describe, expect, it } from 'vitest';
import { ageWords, backoffMs, conditionWords, errorSentence, levelWords, newKey, tagsOf } from '../src/index';

describe('words', () => {
  it('fills parameters in both languages, conditions as words', () => {
    expect(errorSentence('window.busy', { number: 'A023' }, 'zh-CN')).toBe('窗口还有 A023 号没有办完。请先办结或过号。');
    expect(errorSentence('kiosk.printer_fault', { condition: 'paper_out' }, 'en')).toContain('Paper out');
  });

  it('shows an ellipsis for a missing parameter and the general sentence for an unknown code', () => {
    expect(errorSentence('window.busy', {}, 'zh-CN')).toContain('…');
    expect(errorSentence('newer.code', {}, 'en')).toBe(errorSentence('internal', {}, 'en'));
  });

  it('gives a condition its word, hint and severity', () => {
    expect(conditionWords('paper_out', 'zh-CN')).toMatchObject({ word: '缺纸', severity: 'critical' });
  });

  it('offers the tags of a level only', () => {
    expect(tagsOf('dissatisfied', 'zh-CN').map((tag) => tag.words)).toContain('没有提供材料清单');
    expect(tagsOf('satisfied', 'zh-CN').map((tag) => tag.words)).not.toContain('没有提供材料清单');
    expect(levelWords('very_satisfied', 'en')).toBe('Very satisfied');
  });

  it('says ages as people do', () => {
    expect([5.9, 75, 7_300].map((age) => ageWords(age, 'zh-CN'))).toEqual(['5 秒', '1 分钟', '2 小时']);
  });
});

describe('backoff', () => {
  it('grows from at most 0.3 s to at most 8 s, half of it random', () => {
    expect(backoffMs(0, () => 1)).toBe(300);
    expect(backoffMs(0, () => 0)).toBe(150);
    expect(backoffMs(30, () => 1)).toBe(8_000);
  });
});

describe('idempotency keys', () => {
  it('fit the contract’s pattern and never repeat', () => {
    const keys = new Set(Array.from({ length: 200 }, newKey));
    expect(keys.size).toBe(200);
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9._:-]{8,80}$/);
  });
});
