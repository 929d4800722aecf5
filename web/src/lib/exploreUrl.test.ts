import { describe, expect, it } from 'vitest';
import {
  DEFAULT_VIEW,
  needsShortLink,
  readFilters,
  readSearch,
  readView,
  readViewId,
  writeFilters,
  writeView,
  type ExploreView,
} from './exploreUrl';

const FULL: ExploreView = {
  not: ['tag', 'lasso'],
  tag: 'ab'.repeat(12),
  filters: [
    { kind: 'range', key: 'lightly.sharpness', min: 0.1, max: 0.9, isNegated: false },
    { kind: 'range', key: 'speed', min: null, max: -2.5e-7, isNegated: true },
    {
      kind: 'values',
      key: 'weather: now',
      values: ['rain, heavy', 'a~b!', '', '100%', '../é&='],
      isNegated: true,
    },
  ],
  text: '/cam.*\\.jpg/i',
  sort: { key: 'speed', descending: true },
  size: 4,
  layout: 'plot',
  embedding: 'cd'.repeat(12),
  projection: 'UMAP',
  color: 'm:weather: now',
  lasso: [[0, 1.5], [-2, 3], [1e-5, 0.25]], // prettier-ignore
  compare: 'ef'.repeat(12),
  like: ['01'.repeat(12), '23'.repeat(12)],
  only: '3.2_3_1i',
  picks: 12,
  stack: 'ef'.repeat(12),
};

describe('address of explore', () => {
  it('is empty when all is as usual', () => {
    expect(writeView(DEFAULT_VIEW)).toBe('');
    expect(readView('')).toEqual(DEFAULT_VIEW);
  });

  it('brings everything back', () => {
    expect(readView(writeView(FULL))).toEqual(FULL);
  });

  it('survives what browsers do to it', () => {
    const url = new URL(`http://host/x?${writeView(FULL)}`);

    expect(readView(url.search.slice(1))).toEqual(FULL);
  });

  it('can be read by people', () => {
    expect(
      writeFilters([{ kind: 'range', key: 'sharpness', min: 0.1, max: 0.9, isNegated: false }]),
    ).toBe('sharpness:0.1..0.9');
    expect(
      writeFilters([{ kind: 'values', key: 'class', values: ['a', 'b'], isNegated: true }]),
    ).toBe('!class:a,b');
  });

  it('wants a short link for a lasso, and when it gets long', () => {
    const like = Array.from({ length: 80 }, (_, k) => String(k).padStart(24, 'a'));

    expect(needsShortLink(DEFAULT_VIEW)).toBe(false);
    expect(needsShortLink({ ...DEFAULT_VIEW, lasso: FULL.lasso })).toBe(true);
    expect(needsShortLink({ ...DEFAULT_VIEW, like })).toBe(true);
  });

  it('knows short links from others', () => {
    expect(readViewId(`v=${'ab'.repeat(12)}`)).toBe('ab'.repeat(12));
    expect(readViewId('v=../x')).toBe(null);
    expect(readViewId('tag=v')).toBe(null);
  });

  it('sorts by name or by a key that is called name', () => {
    for (const key of [null, 'name']) {
      const view = { ...DEFAULT_VIEW, sort: { key, descending: false } };
      expect(readView(writeView(view)).sort).toEqual({ key, descending: false });
    }
  });

  it.each([
    'f=~~~',
    'f=:',
    'f=a',
    'f=a:x..y',
    'f=a:..',
    'size=99',
    'size=x',
    'layout=<b>',
    'lasso=1,2;3',
    'f=%25zz:=1',
    'like=1,x,../',
    'picks=-1',
    'lasso=a,b;c,d;e,f',
  ])('takes nothing from %s that it does not know', (query) => {
    const view = readView(query);

    expect(view.size).toBe(DEFAULT_VIEW.size);
    expect(view.layout).toBe('split');
    expect(view.lasso).toBe(null);
    expect([view.like, view.picks]).toEqual([[], null]);
  });

  it('tells regular expressions from texts', () => {
    expect(readSearch('/a+/')).toEqual({ text: 'a+', isRegex: true, isCaseSensitive: true });
    expect(readSearch('/a+/i')).toEqual({ text: 'a+', isRegex: true, isCaseSensitive: false });
    expect(readSearch('a/b')).toEqual({ text: 'a/b', isRegex: false, isCaseSensitive: false });
    expect(readSearch('//')).toMatchObject({ isRegex: false });
  });

  it.each([[['']], [['1..2']], [['=', 'a']], [['..']], [['1', '2']]])(
    'keeps the values %j',
    (values) => {
      const filter = { kind: 'values' as const, key: 'k', values, isNegated: false };

      expect(readFilters(writeFilters([filter]))).toEqual([filter]);
    },
  );

  it('reads ranges with one end', () => {
    expect(readFilters('a:1..')).toEqual([
      { kind: 'range', key: 'a', min: 1, max: null, isNegated: false },
    ]);
    expect(readFilters('a:..-1')).toEqual([
      { kind: 'range', key: 'a', min: null, max: -1, isNegated: false },
    ]);
  });
});
