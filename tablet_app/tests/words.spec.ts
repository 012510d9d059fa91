import { describe, expect, it } from 'vitest';
import en from '../src/i18n/en.json';
import zh from '../src/i18n/zh-CN.json';

type Tree = string | readonly string[] | { readonly [key: string]: Tree };

function flat(tree: Tree, path = ''): Map<string, string> {
  if (typeof tree === 'string') return new Map([[path, tree]]);
  return new Map(Object.entries(tree).flatMap(([key, value]) => [...flat(value, path === '' ? key : `${path}.${key}`)]));
}

const slots = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe('words', () => {
  it('exist in both languages with the same blanks', () => {
    const chinese = flat(zh);
    const english = flat(en);
    const listLength = (tree: Map<string, string>) => [...tree.keys()].filter((key) => !/\.\d+$/.test(key));
    expect(listLength(english)).toEqual(listLength(chinese));
    for (const [key, text] of chinese) {
      if (english.has(key)) expect(slots(english.get(key) ?? ''), key).toEqual(slots(text));
    }
  });

  it('hold none of the signs that the message compiler would take as syntax', () => {
    for (const [key, text] of [...flat(zh), ...flat(en)]) expect(text, key).not.toMatch(/[@|$]/);
  });
});
