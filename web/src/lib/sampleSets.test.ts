import { describe, expect, it } from 'vitest';
import { Bitset } from './bitset';
import { arrange, findPosition } from './sampleSets';

describe('the samples that a grid shows', () => {
  const set = Bitset.of(6, [1, 2, 5]);

  it('are all while nothing is asked for', () => {
    expect(arrange(null, null)).toBe(null);
  });

  it('grow, or are in an order', () => {
    expect([...arrange(set, null)!]).toEqual([1, 2, 5]);
    expect([...arrange(set, Uint32Array.of(5, 4, 3, 2, 1, 0))!]).toEqual([5, 2, 1]);
    expect([...arrange(null, Uint32Array.of(2, 0))!]).toEqual([2, 0]);
  });

  it.each([true, false])('are found by their index (growing: %s)', (isGrowing) => {
    const list = Uint32Array.of(1, 2, 5);

    expect([1, 2, 5].map((index) => findPosition(list, index, isGrowing))).toEqual([0, 1, 2]);
    expect([0, 3, 9].map((index) => findPosition(list, index, isGrowing))).toEqual([-1, -1, -1]);
  });
});
