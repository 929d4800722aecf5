import { describe, expect, it } from 'vitest';
import { DEFAULT_VIEW, type ExploreView } from './exploreUrl';
import {
  describeFilter,
  findHiding,
  flipPart,
  listParts,
  withFilter,
  withoutFilters,
  withoutPart,
  withTag,
} from './viewParts';

const RAIN = { kind: 'values', key: 'weather', values: ['rain'], isNegated: false } as const;
const SPEED = { kind: 'range', key: 'speed', min: 1, max: null, isNegated: false } as const;
const VIEW: ExploreView = {
  ...DEFAULT_VIEW,
  tag: 'a'.repeat(24),
  picks: 3,
  compare: 'b'.repeat(24),
  filters: [{ ...RAIN, values: ['rain'] }, SPEED],
  text: 'cam',
  lasso: [[0, 0], [1, 0], [1, 1]], // prettier-ignore
  not: ['tag', 'lasso'],
};

describe('the parts of a question', () => {
  it('are named in the order in which the server is asked', () => {
    expect(listParts(VIEW)).toEqual(['f:weather', 'f:speed', 'name', 'lasso']);
    expect(listParts(DEFAULT_VIEW)).toEqual([]);
  });

  it('are taken away one by one, and what belongs to them goes too', () => {
    expect(withoutPart(VIEW, 'f:weather')).toEqual({ filters: [SPEED] });
    expect(withoutPart(VIEW, 'lasso')).toEqual({ lasso: null, not: ['tag'] });
    expect(withoutPart(VIEW, 'name')).toEqual({ text: '', not: ['tag', 'lasso'] });
    const untagged = { tag: null, picks: null, compare: null, not: ['lasso'] };
    expect(withoutPart(VIEW, 'tag')).toEqual(untagged);
    expect(withoutFilters(VIEW)).toEqual({ filters: [], text: '', lasso: null, not: ['tag'] });
    expect(withTag(VIEW, 'c')).toMatchObject({ tag: 'c', compare: VIEW.compare, picks: null });
  });

  it('are turned round and back', () => {
    const [weather] = flipPart(VIEW, 'f:weather').filters!;
    expect(weather.isNegated).toBe(true);
    expect(flipPart(VIEW, 'name')).toEqual({ not: ['tag', 'lasso', 'name'] });
    expect(flipPart(VIEW, 'tag')).toEqual({ not: ['lasso'], picks: null });
  });

  it('replace a filter on the same key', () => {
    const other = { ...SPEED, min: 5 };
    expect(withFilter(VIEW, other, 'speed').at(-1)).toEqual(other);
    expect(withFilter(VIEW, null, 'speed')).toHaveLength(1);
  });

  it('hide most where most would be found without them', () => {
    const counts = new Map([
      ['f:weather', { alone: 16, without: 4 }],
      ['name', { alone: 0, without: 9 }],
      ['lasso', { alone: 2, without: 0 }],
    ] as const);

    expect(findHiding(counts, 0)).toEqual(['name', { alone: 0, without: 9 }]);
    expect(findHiding(counts, 9)).toBeNull();
  });

  it('are put into words', () => {
    expect(describeFilter({ ...RAIN, values: ['a', 'b', 'c', 'd'] })).toBe('weather: a, b, c +1');
    expect(describeFilter(SPEED)).toBe('speed ≥ 1');
    expect(describeFilter({ ...SPEED, min: null, max: 2 })).toBe('speed ≤ 2');
    expect(describeFilter({ ...SPEED, max: 2 })).toBe('speed: 1 – 2');
  });
});
