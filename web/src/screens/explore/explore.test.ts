import { describe, expect, it } from 'vitest';
import { DEFAULT_VIEW } from '../../lib/exploreUrl';
import { findInside, roundPolygon } from '../../lib/lasso';
import { colorByColumn, colorByTags, describePoint } from './coloring';
import { makeFilters, nameFilters } from './filters';
import { Bitset } from '../../lib/bitset';

const COLORS = { plain: [1, 2, 3], missing: [4, 5, 6] } as const;

describe('what the server is asked for', () => {
  const view = {
    ...DEFAULT_VIEW,
    filters: [{ kind: 'range' as const, key: 'a', min: 1, max: null, isNegated: true }],
    text: '/x/i',
    lasso: [[0, 0], [1, 0], [1, 1]] as const, // prettier-ignore
  };

  it('has every part of the address', () => {
    const made = makeFilters(view, { embeddingId: 'e', embedding2dId: 'p' });

    expect(made.map(({ kind }) => kind)).toEqual(['range', 'name', 'polygon']);
    expect(made[0]).toMatchObject({ key: 'a', min: 1, isNegated: true });
    expect('max' in made[0]).toBe(false);
    expect(made[1]).toMatchObject({ text: 'x', isRegex: true, isCaseSensitive: false });
  });

  it('leaves the lasso out while there is no map, and out of the name', () => {
    expect(makeFilters(view, null)).toHaveLength(2);
    expect(nameFilters(view)).toBe(nameFilters({ ...view, lasso: null }));
  });
});

describe('colours in words', () => {
  it('say the category, or about which number', () => {
    const categories = [
      { name: 'sun', count: 2 },
      { name: 'rain', count: 1 },
    ];
    const column = { kind: 'u8', width: 1, count: 3, values: Uint8Array.of(1, 0, 255) } as const;
    const byClass = colorByColumn(
      { ...column, tail: { key: 'w', kind: 'category', nPresent: 2, categories } },
      COLORS,
    );
    expect([0, 1, 2].map((index) => describePoint(byClass, index))).toEqual(['rain', 'sun', '–']);

    const numbers = { ...column, kind: 'f32', values: Float32Array.of(0, 253, NaN) } as const;
    const byNumber = colorByColumn(
      { ...numbers, tail: { key: 'n', kind: 'number', nPresent: 2, min: 0, max: 253 } },
      COLORS,
    );
    expect([0, 1, 2].map((index) => describePoint(byNumber, index))).toEqual(['≈ 0', '≈ 253', '–']);
  });

  it('say the smallest tag', () => {
    const tags = [
      { name: 'small', bits: Bitset.of(3, [1]) },
      { name: 'large', bits: Bitset.of(3, [0, 1]) },
    ];
    const coloring = colorByTags(3, tags, COLORS);

    expect([0, 1, 2].map((index) => describePoint(coloring, index))).toEqual([
      'large',
      'small',
      '–',
    ]);
  });
});

describe('a drawn lasso', () => {
  it('has few corners in the address and takes the same points', () => {
    const circle = Array.from({ length: 900 }, (_, k) => {
      const angle = (k / 900) * 2 * Math.PI;
      return [100 * Math.cos(angle), 100 * Math.sin(angle)] as const;
    });
    const rounded = roundPolygon(circle, 0.5);
    const xs = Float32Array.of(0, 90, 99, 102, -95, 70);
    const ys = Float32Array.of(0, 0, 0, 0, 0, 70);

    expect(rounded.length).toBeLessThanOrEqual(120);
    expect([...findInside(xs, ys, rounded).toIndices()]).toEqual([0, 1, 2, 4, 5]);
  });
});
