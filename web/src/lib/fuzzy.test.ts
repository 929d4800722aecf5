import { describe, expect, it } from 'vitest';
import { findBest, rankLabel } from './fuzzy';

const entries = ['Show the grid', 'Go to the filters', 'Make a tag of the selection', 'Tags'].map(
  (label) => ({ label, group: label === 'Tags' ? 'Pages' : 'Explore' }),
);
const find = (typed: string) => findBest(entries, typed, 3).map(({ label }) => label);

describe('the palette', () => {
  it('shows the first ones while nothing is typed', () => {
    expect(find(' ')).toEqual([
      'Show the grid',
      'Go to the filters',
      'Make a tag of the selection',
    ]);
  });

  it('puts beginnings before words before letters', () => {
    expect(find('tag')).toEqual(['Tags', 'Make a tag of the selection']);
    expect(find('stg')).toEqual(['Show the grid']);
  });

  it('wants all words, in any order', () => {
    expect(find('selection make')).toEqual(['Make a tag of the selection']);
    expect(find('selection grid')).toEqual([]);
  });

  it('finds by the group too, after those that are called so', () => {
    expect(find('pages')).toEqual(['Tags']);
  });

  it('knows no signs of expressions', () => {
    expect(rankLabel('.*(', 'anything')).toBe(null);
  });
});
