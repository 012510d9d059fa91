import { describe, expect, it } from 'vitest';
import { items } from '../src/dev/sample';
import { searchItems } from '../src/features/search/search';

const names = (query: string): string[] => searchItems(items, query).map((item) => item.name);

describe('search', () => {
  it('finds by initials inside the name, as people type 身份证', () => {
    expect(names('sfz')).toEqual(['居民身份证换领', '居民身份证首次申领', '居民身份证丢失补领']);
  });

  it('finds by full pinyin, with or without spaces', () => {
    expect(names('hukou')).toEqual(['户口迁移']);
    expect(names('hu kou')).toEqual(['户口迁移']);
  });

  it('finds by Chinese and by English words', () => {
    expect(names('护照')).toEqual(['普通护照签发']);
    expect(names('passport')).toEqual(['普通护照签发']);
    expect(names('ID card')).toHaveLength(3);
  });

  it('finds by what people call it, before names that only contain it', () => {
    expect(names('hsfz')).toEqual(['居民身份证换领']);
    expect(names('huansfz')).toEqual([]);
    expect(names('huan')[0]).toBe('居民身份证换领');
  });

  it('puts a name that begins so before one that only contains it', () => {
    expect(names('j')[0]).toMatch(/^居/);
    expect(names('jz')).toEqual(['居住证申领']);
  });

  it('puts what can be taken today first and hides nothing', () => {
    const found = searchItems(items, 'b');
    const offered = found.filter((item) => item.initials.startsWith('b')).map((item) => item.offered);
    expect(offered).toEqual([true, false]);
  });

  it('takes letters for English words first when English is read', () => {
    const english = (query: string): string[] =>
      searchItems(items, query, 'en').map((item) => item.name_en);
    expect(english('p').slice(0, 3).sort()).toEqual(['Passport', 'Permit for Hong Kong and Macao', 'Provident fund for a home']);
    expect(english('re')[0]).toMatch(/^Re/);
    expect(english('card').every((name) => name.includes('card'))).toBe(true);
    expect(english('hukou')).toEqual(['Moving a household registration']);
  });

  it('finds nothing for nothing', () => {
    expect(names('  ')).toEqual([]);
    expect(names('zzzz')).toEqual([]);
  });
});
