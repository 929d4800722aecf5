import { describe, expect, it } from 'vitest';
import { findCell, groupSamples, layStacks, NO_LEADER } from './stacks';

const leaders = Uint32Array.of(0, 1, 0, NO_LEADER, 1, 0);
const list = (values: Uint32Array) => [...values];

describe('stacks of near-duplicates', () => {
  it('are where their first shown sample is', () => {
    const all = groupSamples(null, 6, leaders);
    expect(list(all.members)).toEqual([0, 2, 5, 1, 4, 3]);
    expect(list(all.starts)).toEqual([0, 3, 5, 6]);

    const sorted = groupSamples(Uint32Array.of(4, 3, 5, 2), 6, leaders);
    expect(list(sorted.members)).toEqual([4, 3, 5, 2]);
    expect(list(sorted.starts)).toEqual([0, 1, 2, 4]);
  });

  it('have one cell, open ones a cell of each member', () => {
    const groups = groupSamples(null, 6, leaders);
    expect(list(layStacks(groups, leaders, new Set()).shown)).toEqual([0, 1, 3]);

    const open = layStacks(groups, leaders, new Set([1]));
    expect(list(open.shown)).toEqual([0, 1, 4, 3]);
    expect(list(open.groups)).toEqual([0, 1, 1, 2]);
  });

  it('stay open by their group, whichever member is shown first', () => {
    const groups = groupSamples(Uint32Array.of(5, 2, 1), 6, leaders);

    expect(list(layStacks(groups, leaders, new Set([0])).shown)).toEqual([5, 2, 1]);
  });

  it('are found by any of their members', () => {
    const groups = groupSamples(Uint32Array.of(0, 1, 2, 4, 5), 6, leaders);
    const cells = layStacks(groups, leaders, new Set([0]));

    expect([0, 2, 5, 1, 4, 3].map((index) => findCell(groups, cells, index))).toEqual([
      0, 1, 2, 3, 3, -1,
    ]);
  });

  it('leave those alone that were added since', () => {
    expect(list(groupSamples(null, 8, leaders).members).slice(-3)).toEqual([3, 6, 7]);
    expect(list(groupSamples(new Uint32Array(0), 8, leaders).starts)).toEqual([0]);
  });

  it('hold for a million samples', () => {
    const count = 1_000_000;
    const pairs = new Uint32Array(count).map((_, index) => index & ~1);
    const groups = groupSamples(null, count, pairs);
    const cells = layStacks(groups, pairs, new Set([count - 2]));

    expect(cells.shown.length).toBe(count / 2 + 1);
    expect(findCell(groups, cells, count - 1)).toBe(count / 2);
  });
});
