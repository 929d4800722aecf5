import { describe, expect, it } from 'vitest';
import {
  joinBins,
  makeTicks,
  measureDifference,
  relate,
  scaleOutline,
  stretch,
} from './distributions';

const all = () => true;

describe('distributions', () => {
  it('are compared by their shape', () => {
    expect(scaleOutline([1, 1], [30, 10])).toEqual([20, 20]);
    expect(scaleOutline([0, 0], [3, 1])).toEqual([]);
    expect(measureDifference([5, 5], [1, 1])).toBe(0);
    expect(measureDifference([5, 0], [0, 2])).toBe(1);
    expect(measureDifference([3, 1], [1, 1])).toBe(0.25);
    expect(measureDifference([], [])).toBe(0);
    expect(measureDifference([1], [])).toBe(1);
    expect(joinBins([1, 2, 3, 4], 2)).toEqual([3, 7]);
    expect(joinBins([1, 2], 10)).toEqual([1, 2]);
  });
});

describe('the relation of two columns', () => {
  it('counts samples that have both, and that are asked for', () => {
    const xs = Float32Array.of(1, 2, NaN, 3, 100);
    const ys = Float32Array.of(2, 4, 1, NaN, -100);
    const { count, correlation } = relate(xs, ys, (index) => index < 4);
    expect(count).toBe(2);
    expect(correlation).toBeCloseTo(1, 12);
    expect(relate(xs, ys, all).count).toBe(3);
  });

  it('is exact far from zero, and none where nothing changes', () => {
    const xs = Float32Array.from({ length: 100 }, (_, k) => 1e6 + k);
    const ys = Float32Array.from({ length: 100 }, (_, k) => -1e6 - 3 * k);
    expect(relate(xs, ys, all).correlation).toBeCloseTo(-1, 12);
    expect(relate(xs, new Float32Array(100), all).correlation).toBeNull();
  });
});

describe('axes', () => {
  it('have scales of their own', () => {
    expect([...stretch(Float32Array.of(10, 15, 20, NaN), { min: 10, max: 20 }, 2)]).toEqual([
      0,
      1,
      2,
      NaN,
    ]);
    expect([...stretch(Float32Array.of(7, NaN), { min: 7, max: 7 }, 2)]).toEqual([1, NaN]);
  });

  it('have round numbers', () => {
    expect(makeTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(makeTicks(-0.03, 0.07, 4)).toEqual([0, 0.05]);
    expect(makeTicks(1234, 5678, 3)).toEqual([2000, 4000]);
    expect(makeTicks(5, 5, 3)).toEqual([5]);
    expect(makeTicks(NaN, 5, 3)).toEqual([]);
  });
});
