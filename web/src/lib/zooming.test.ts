import { describe, expect, it } from 'vitest';
import { clampZoom, fitScale, zoomAt } from './zooming';

describe('a zoomed picture', () => {
  it('fills its box, but small ones are not blown up without end', () => {
    expect(fitScale({ width: 200, height: 100 }, 400, 400)).toBe(2);
    expect(fitScale({ width: 1, height: 1 }, 400, 400)).toBe(12);
  });

  it('keeps what is under the pointer there', () => {
    const before = { x: 10, y: -5 };
    const shift = zoomAt(before, 4, 2, 60, 30);

    // The point of the picture under the pointer, before and after.
    expect((60 - before.x) / 2).toBeCloseTo((60 - shift.x) / 4);
    expect((30 - before.y) / 2).toBeCloseTo((30 - shift.y) / 4);
  });

  it('lies in the middle when it is whole', () => {
    expect(zoomAt({ x: 7, y: 7 }, 1, 3, 50, 50)).toEqual({ x: 0, y: 0 });
    expect([clampZoom(0.1), clampZoom(1e9)]).toEqual([1, 24]);
  });
});
