import { describe, expect, it } from 'vitest';
import { findInside, simplify, type Polygon } from './lasso';

/** The rule in its plainest form. */
function isInside(x: number, y: number, polygon: Polygon): boolean {
  let inside = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at++) {
    const [x1, y1] = polygon[at];
    const [x2, y2] = polygon[before];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

function randomPoints(count: number): [Float32Array, Float32Array] {
  let state = 42;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  return [Float32Array.from({ length: count }, next), Float32Array.from({ length: count }, next)];
}

const star: Polygon = Array.from({ length: 10 }, (_, k) => {
  const far = k % 2 ? 0.2 : 0.45;
  return [0.5 + far * Math.cos((k * Math.PI) / 5), 0.5 + far * Math.sin((k * Math.PI) / 5)];
});
const crossed: Polygon = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]; // prettier-ignore
const square: Polygon = [[0, 0], [1, 0], [1, 1], [0, 1]]; // prettier-ignore

describe('lasso', () => {
  it.each([
    ['a star', star],
    ['one that crosses itself', crossed],
    ['a square', square],
  ])('finds the same points as the plain rule in %s', (_, polygon) => {
    const [xs, ys] = randomPoints(5_000);
    const found = findInside(xs, ys, polygon);
    const expected = [...xs.keys()].filter((index) => isInside(xs[index], ys[index], polygon));

    expect([...found.toIndices()]).toEqual(expected);
    expect(expected.length).toBeGreaterThan(100);
  });

  it('leaves out points without coordinates', () => {
    const found = findInside(new Float32Array([0.5, NaN]), new Float32Array([0.5, 0.5]), square);

    expect([...found.toIndices()]).toEqual([0]);
  });

  it('is empty when it is no area', () => {
    const [xs, ys] = randomPoints(10);

    expect(findInside(xs, ys, []).count()).toBe(0);
    expect(findInside(xs, ys, [[0, 0], [1, 1]]).count()).toBe(0); // prettier-ignore
    expect(findInside(xs, ys, [[0, 0.5], [1, 0.5], [0.2, 0.5]]).count()).toBe(0); // prettier-ignore
  });

  it('tests a million points within a third of a second', () => {
    const [xs, ys] = randomPoints(1_000_000);
    const circle: Polygon = Array.from({ length: 60 }, (_, k) => {
      const angle = (k * Math.PI) / 30;
      return [0.5 + 0.4 * Math.cos(angle), 0.5 + 0.4 * Math.sin(angle)];
    });
    findInside(xs, ys, circle);
    const start = performance.now();
    const count = findInside(xs, ys, circle).count();

    expect(count / 1e6).toBeCloseTo(Math.PI * 0.16, 1);
    // Other programs run at the same time where tests run; alone it takes a tenth of this.
    expect(performance.now() - start).toBeLessThan(1_500);
  });
});

describe('a simplified lasso', () => {
  it('keeps its shape with fewer corners', () => {
    const circle: Polygon = Array.from({ length: 400 }, (_, k) => {
      const angle = (k * Math.PI) / 200;
      return [Math.cos(angle), Math.sin(angle)];
    });
    const simple = simplify(circle, 0.01);

    expect(simple.length).toBeLessThan(60);
    for (const [x, y] of simple) expect(Math.hypot(x, y)).toBeCloseTo(1, 6);
  });

  it('is left alone when it has few corners', () => {
    expect(simplify(square, 10)).toBe(square);
  });
});
