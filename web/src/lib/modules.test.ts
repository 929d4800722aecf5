import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, nameColumn, plural } from './format';
import { UndoStack } from './history';
import { makePalette, MAX_CLASSES, parseHex, scaleColor } from './palette';
import { Bitset } from './bitset';
import { findStep, makeStates, pointSize } from './plot/renderer';
import { flatten, paintMask, readKeypoints } from './predictions';
import { findRoute } from './router.svelte';
import { describeState, isOver } from './runStates';
import { makeTree } from './tagTree';

describe('undo', () => {
  it('goes back and forth', () => {
    const stack = new UndoStack<number>();
    stack.push(1);
    stack.push(2);

    expect(stack.undo(3)).toBe(2);
    expect(stack.undo(2)).toBe(1);
    expect(stack.undo(1)).toBe(undefined);
    expect(stack.redo(1)).toBe(2);
    stack.push(2);
    expect(stack.canRedo).toBe(false);
  });

  it('forgets the oldest', () => {
    const stack = new UndoStack<number>(2);
    for (const state of [1, 2, 3]) stack.push(state);

    expect([stack.undo(4), stack.undo(3), stack.undo(2)]).toEqual([3, 2, undefined]);
  });
});

describe('tag tree', () => {
  it('has children below their parents, the older first', () => {
    const tags = [
      { id: 'd', prevTagId: 'a', createdAt: 4 },
      { id: 'a', createdAt: 1 },
      { id: 'b', prevTagId: 'a', createdAt: 2 },
      { id: 'c', prevTagId: 'b', createdAt: 3 },
      { id: 'x', prevTagId: 'gone', createdAt: 5 },
    ];

    expect(makeTree(tags).map(({ tag, level }) => `${level}${tag.id}`)).toEqual([
      '0a',
      '1b',
      '2c',
      '1d',
      '0x',
    ]);
  });
});

describe('predictions', () => {
  it('paints runs row by row, beginning outside', () => {
    const pixels = new Uint8ClampedArray(2 * 3 * 4);
    paintMask(pixels, 2, 3, [1, 2, 2, 1], '#ff0000', 100);
    const alpha = [...pixels].filter((_, place) => place % 4 === 3);

    expect(alpha).toEqual([0, 100, 100, 0, 0, 100]);
    expect(pixels[4]).toBe(255);
  });

  it('stays within the picture when runs are too long', () => {
    const pixels = new Uint8ClampedArray(16);
    paintMask(pixels, 2, 2, [0, 1_000], '#00ff00', 9);

    expect([...pixels].filter((_, place) => place % 4 === 3)).toEqual([9, 9, 9, 9]);
  });

  it('reads points in threes', () => {
    expect(readKeypoints([1, 2, 0.5, 3, 4, 1, 9])).toEqual([
      { x: 1, y: 2, confidence: 0.5 },
      { x: 3, y: 4, confidence: 1 },
    ]);
  });

  it('names nested values with dots', () => {
    expect(flatten({ a: { b: 1, c: null }, d: [1, 2], e: false })).toEqual([
      ['a.b', '1'],
      ['d', '[1,2]'],
      ['e', 'false'],
    ]);
  });
});

describe('colours', () => {
  it('are read long and short', () => {
    expect(parseHex('#ff8000')).toEqual([255, 128, 0]);
    expect(parseHex('#f80')).toEqual([255, 136, 0]);
  });

  it('fold what is beyond the classes, and have one for no value', () => {
    const palette = makePalette('category', [1, 2, 3], [4, 5, 6]);
    const at = (code: number) => [...palette.subarray(code * 4, code * 4 + 3)];

    expect(at(MAX_CLASSES)).toEqual(at(254));
    expect(at(255)).toEqual([4, 5, 6]);
    expect(new Set(Array.from({ length: MAX_CLASSES }, (_, code) => at(code).join())).size).toBe(
      MAX_CLASSES,
    );
  });

  it('of numbers go from dark to bright', () => {
    const light = [0, 0.25, 0.5, 0.75, 1].map((share) => scaleColor(share).reduce((a, b) => a + b));

    expect(light).toEqual([...light].sort((a, b) => a - b));
    expect(scaleColor(-1)).toEqual(scaleColor(0));
    expect(scaleColor(2)).toEqual(scaleColor(1));
  });
});

describe('plot', () => {
  it.each([180_001, 1_000_000, 4_999_999])('visits each of %i points once', (count) => {
    let [a, b] = [findStep(count), count];
    while (b) [a, b] = [b, a % b];

    expect(a).toBe(1);
  });

  it('knows selected points from those that match and from the rest', () => {
    const states = makeStates(10, Bitset.of(10, [1, 2, 9]), Bitset.of(10, [2, 3]));

    expect([...states]).toEqual([0, 1, 2, 2, 0, 0, 0, 0, 0, 1]);
    expect([...makeStates(3, null, Bitset.of(3, [0]))]).toEqual([2, 1, 1]);
  });

  it('has smaller points the more there are', () => {
    const sizes = [10, 1_000, 10_000, 100_000, 1_000_000].map(pointSize);

    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });
});

describe('routes', () => {
  const id = 'ab'.repeat(12);
  it.each([
    ['/', 'datasets'],
    ['/datasets/', 'datasets'],
    ['/datasets/new', 'newDataset'],
    [`/datasets/${id}`, 'dataset'],
    [`/datasets/${id}/explore`, 'explore'],
    [`/datasets/${id}/explore/${id}`, 'sample'],
    [`/datasets/${id}/tags`, 'tags'],
    [`/datasets/${id}/runs`, 'datasetRuns'],
    [`/datasets/${id}/runs/new`, 'scheduleRun'],
    [`/datasets/${id}/settings/sharing`, 'settings'],
    [`/datasets/${id}/settings/other`, 'notFound'],
    [`/runs/${id}`, 'run'],
    [`/teams/${id}`, 'team'],
    ['/datasets/../x', 'notFound'],
    ['/datasets/ABC', 'notFound'],
    ['/nothing', 'notFound'],
  ])('%s is %s', (path, name) => {
    expect(findRoute(path).name).toBe(name);
  });
});

describe('words', () => {
  it('say what a run does', () => {
    expect(describeState('COMPUTING_METADATA')).toEqual({
      label: 'Computing metadata',
      tone: 'live',
    });
    expect(describeState('FAILED').tone).toBe('bad');
    expect([isOver('COMPLETED'), isOver('EMBEDDING')]).toEqual([true, false]);
  });

  it('are right for one and for many', () => {
    expect(plural(1, 'sample')).toBe('1 sample');
    expect(plural(1200, 'sample')).toMatch(/^1.?200 samples$/);
  });

  it('say how long ago and how much', () => {
    expect(formatAgo(1_000, 3_000)).toBe('just now');
    expect(formatAgo(0, 2 * 86_400_000)).toBe('2 days ago');
    expect(formatBytes(999)).toBe('999 B');
    expect(formatBytes(1_500_000)).toBe('1.50 MB');
    expect(nameColumn('lightly.sharpness')).toBe('sharpness');
  });
});
