import { describe, expect, it } from 'vitest';
import { describeChange, groupByDay } from './tagHistory';
import { readTagsView, writeTagsView } from './tagsView';

const of = (changes: Record<string, unknown>) => describeChange({ ts: 0, creator: '', changes });

describe('the history of a tag', () => {
  it('is told in words', () => {
    expect(of({ initial: {} })).toEqual(['Made over all samples']);
    expect(of({ rename: { from: 'a', to: 'b' } })).toEqual(['Renamed from “a” to “b”']);
    expect(of({ upsize: { from: 10, to: 12 } })).toEqual([
      'Follows the dataset from 10 to 12 samples',
    ]);
    expect(of({ samples: { added: 2, removed: 0, count: 5, method: 'selected' } })).toEqual([
      '2 added, 0 taken away: 5 samples',
    ]);
    expect(of({ arithmetics: { operation: 'UNION', tag1: 'a', tag2: 'b' } })).toEqual([
      'Union of “a” and “b”',
    ]);
    expect(of({ sampler: { method: 'CORESET' } })).toEqual(['Selection: coreset']);
  });

  it('names what it does not know', () => {
    expect(of({ toString: 1, later: { x: 1 }, gone: null })).toEqual(['toString', 'later']);
  });

  it('is a timeline with the newest day first', () => {
    const tags = [1, 25, 2, 49].map((hour) => ({ createdAt: hour }));
    const days = groupByDay(tags, (hour) => String(Math.floor(hour / 24)));
    expect(days.map(({ day, tags: found }) => [day, found.map((tag) => tag.createdAt)])).toEqual([
      ['2', [49]],
      ['1', [25]],
      ['0', [2, 1]],
    ]);
  });

  it('keeps its place in the address', () => {
    const view = { order: 'timeline', tag: 'x', a: 'y', b: null, operation: 'UNION' } as const;
    expect(readTagsView(writeTagsView(view))).toEqual(view);
    expect(writeTagsView(readTagsView('op=toString'))).toBe('');
  });
});
