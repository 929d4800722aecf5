import { describe, expect, it } from 'vitest';
import {
  guessType,
  nameOf,
  readCategories,
  readDefault,
  showDefault,
  suggestEntries,
} from './metadataPaths';

const column = (key: string, kind: 'number' | 'category' | 'text', more = {}) => ({
  key,
  kind,
  nPresent: 3,
  ...more,
});
const categories = (...names: string[]) => ({
  categories: names.map((name) => ({ name, count: 1 })),
});

describe('metadata configurations', () => {
  it.each([
    [column('a', 'number', { min: 0, max: 9 }), 'NUMERIC_INT'],
    [column('a', 'number', { min: 0, max: 0.5 }), 'NUMERIC_FLOAT'],
    [column('a', 'category', categories('true', 'false')), 'CATEGORICAL_BOOLEAN'],
    [column('a', 'category', categories('1', '20')), 'CATEGORICAL_INT'],
    [
      column('a', 'category', categories('2026-01-02', '2026-01-03T10:00:00')),
      'CATEGORICAL_DATETIME',
    ],
    [column('a', 'category', categories('sun', '1')), 'CATEGORICAL_STRING'],
    [column('a', 'text'), 'OTHER_STRING'],
  ] as const)('%j is %s', (one, type) => {
    expect(guessType(one)).toBe(type);
  });

  it('look at values, not only at the least and the greatest', () => {
    const speed = column('car.speed', 'number', { min: 0, max: 4 });
    const [entry] = suggestEntries([speed], [], [{ car: { speed: 0.5 } }, null, { car: 3 }]);

    expect(entry.valueDataType).toBe('NUMERIC_FLOAT');
  });

  it('are suggested for what has none yet, but not for what was measured', () => {
    const columns = [
      column('lightly.sharpness', 'number'),
      column('car.speed', 'number', { min: 0, max: 1 }),
      column('weather', 'category', categories('sun')),
    ];
    const known = [
      { name: 'w', path: 'weather', valueDataType: 'CATEGORICAL_STRING', defaultValue: {} },
    ];

    expect(suggestEntries(columns, known as never)).toEqual([
      { name: 'Speed', path: 'car.speed', valueDataType: 'NUMERIC_INT', defaultValue: 0 },
    ]);
    expect(nameOf('a.time_of_day')).toBe('Time of day');
  });

  it('read defaults as what they mean', () => {
    expect(readDefault('4', 'NUMERIC_INT')).toBe(4);
    expect(readDefault('4', 'OTHER_STRING')).toBe('4');
    expect(readDefault('', 'NUMERIC_INT')).toBe(null);
    expect(showDefault(readDefault('true', 'CATEGORICAL_BOOLEAN'))).toBe('true');
  });
});

describe('categories', () => {
  it('count from 0, or as they say', () => {
    expect(readCategories('car\n\ntraffic light')).toEqual([
      { id: 0, name: 'car' },
      { id: 1, name: 'traffic light' },
    ]);
    expect(readCategories('3 car\n7 big bus')).toEqual([
      { id: 3, name: 'car' },
      { id: 7, name: 'big bus' },
    ]);
  });
});
