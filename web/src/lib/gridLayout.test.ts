import { describe, expect, it } from 'vitest';
import { findVisible, layOut, placeOf, ScrollMap, scrollTo } from './gridLayout';

const OPTIONS = { gap: 10, padding: 14, caption: 24, ratio: 0.8 };
const make = (count: number, width = 800, size = 128) => layOut(count, width, size, OPTIONS);

describe('layout', () => {
  it('has as many columns as fit', () => {
    expect(make(100, 800, 128).columns).toBe(5);
    expect(make(100, 100, 128).columns).toBe(1);
    expect(make(0).height).toBe(0);
  });

  it('puts the last cell above its end', () => {
    for (const count of [1, 4, 5, 6, 999, 1_000_000]) {
      const layout = make(count);
      const { top, left } = placeOf(layout, count - 1);

      expect(top + layout.cellHeight + layout.padding).toBe(layout.height);
      expect(left + layout.cellWidth).toBeLessThanOrEqual(800);
    }
  });

  it('finds every cell that is seen', () => {
    const layout = make(1_000);
    for (const offset of [0, 1, 500, 5_000, layout.height - 600]) {
      const [start, end] = findVisible(layout, offset, 600, 0);
      for (let position = 0; position < 1_000; position++) {
        const { top } = placeOf(layout, position);
        const isSeen = top + layout.cellHeight > offset && top < offset + 600;
        if (isSeen) expect(position >= start && position < end).toBe(true);
      }
      expect(end - start).toBeLessThan(60);
    }
  });

  it('scrolls no further than needed', () => {
    const layout = make(1_000);

    expect(scrollTo(layout, 0, 0, 600)).toBe(0);
    expect(scrollTo(layout, 0, 900, 600)).toBe(0);
    const down = scrollTo(layout, 999, 0, 600);
    expect(down).toBe(layout.height - 600);
    expect(scrollTo(layout, 999, down, 600)).toBe(down);
  });
});

describe('scroll map', () => {
  it('is one to one while everything fits', () => {
    const map = new ScrollMap(10_000, 600);

    expect(map.isCompressed).toBe(false);
    expect(map.boxHeight).toBe(10_000);
    expect(map.toScroll(1_234)).toBe(1_234);
    expect(map.toOffset(1_234)).toBe(1_234);
  });

  it.each([1_000_000, 10_000_000])('reaches the first and the last of %i', (count) => {
    for (const ratio of [1, 2]) {
      const layout = make(count);
      const map = new ScrollMap(layout.height, 600, ratio);
      const scrollMax = map.boxHeight - 600;

      expect(map.boxHeight * ratio).toBeLessThanOrEqual(15_000_000);
      expect(map.isCompressed).toBe(true);
      expect(map.toOffset(0)).toBe(0);
      expect(map.toOffset(scrollMax)).toBe(layout.height - 600);
      expect(findVisible(layout, map.toOffset(scrollMax), 600)[1]).toBe(count);
    }
  });

  it('turns an offset into a scroll position and back', () => {
    const map = new ScrollMap(2e9, 600);
    for (const offset of [0, 1, 1_000, 123_456_789, 2e9 - 600]) {
      expect(map.toOffset(map.toScroll(offset))).toBeCloseTo(offset, 3);
    }
  });

  it('shows each row when the wheel moves row by row through ten million', () => {
    const layout = make(10_000_000);
    const map = new ScrollMap(layout.height, 600);
    const pitch = layout.cellHeight + layout.gap;
    let offset = 1e8;
    let [before] = findVisible(layout, offset, 600, 0);
    for (let step = 0; step < 200; step++) {
      offset = map.clamp(offset + pitch);
      const [start] = findVisible(layout, offset, 600, 0);
      expect(start - before).toBe(layout.columns);
      before = start;
    }
  });
});
