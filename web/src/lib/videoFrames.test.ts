import { describe, expect, it } from 'vitest';
import { estimateRate, frameAt, rateOr, snapRate, timeOf } from './videoFrames';

describe('frames of a video', () => {
  it.each([
    [30, 1.001, 29.97],
    [25, 1, 25],
    [7, 2, 3.5],
    [0, 0, null],
    [5, undefined, null],
  ])('frame %s at %s s means %s per second', (index, timestamp, rate) => {
    expect(estimateRate(index, timestamp)).toBe(rate);
  });

  it('are stepped through one by one, there and back', () => {
    for (const rate of [3.5, 24, 29.97, 60]) {
      for (let frame = 0; frame < 500; frame++) {
        expect(frameAt(timeOf(frame, rate, 1_000), rate)).toBe(frame);
      }
    }
  });

  it('end with the video', () => {
    expect(timeOf(1_000, 25, 2)).toBeCloseTo(1.98);
    expect(timeOf(-3, 25, 2)).toBeGreaterThanOrEqual(0);
  });

  it('have a usual rate where none is known', () => {
    expect(rateOr(null)).toBe(25);
    expect(snapRate(23.98)).toBe(23.976);
  });
});
