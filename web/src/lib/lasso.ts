import { Bitset } from './bitset';

export type Polygon = readonly (readonly [number, number])[];

const SLABS = 512;

/**
 * Which points lie within a polygon, by the even-odd rule; the server computes the same.
 *
 * Edges are sorted into horizontal slabs first, so that each point meets only those at its height.
 * Points without coordinates are outside.
 */
export function findInside(xs: Float32Array, ys: Float32Array, polygon: Polygon): Bitset {
  const found = new Bitset(xs.length);
  if (polygon.length < 3) return found;
  let [left, top] = polygon[0];
  let [right, bottom] = polygon[0];
  for (const [x, y] of polygon) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (!(bottom > top)) return found;
  const scale = SLABS / (bottom - top);
  const slabs = sortEdges(polygon, top, scale);
  const { bytes } = found;
  for (let index = 0; index < xs.length; index++) {
    const x = xs[index];
    const y = ys[index];
    if (!(x >= left && x <= right && y >= top && y <= bottom)) continue;
    const edges = slabs[Math.min(SLABS - 1, Math.floor((y - top) * scale))];
    let isInside = false;
    for (let place = 0; place < edges.length; place += 4) {
      const y1 = edges[place + 1];
      const y2 = edges[place + 3];
      if (y1 > y === y2 > y) continue;
      const x1 = edges[place];
      if (x < ((edges[place + 2] - x1) * (y - y1)) / (y2 - y1) + x1) isInside = !isInside;
    }
    if (isInside) bytes[index >> 3] |= 1 << (index & 7);
  }
  return found;
}

function sortEdges(polygon: Polygon, top: number, scale: number): Float64Array[] {
  const slabs: number[][] = Array.from({ length: SLABS }, () => []);
  let previous = polygon[polygon.length - 1];
  for (const corner of polygon) {
    const [x1, y1] = corner;
    const [x2, y2] = previous;
    previous = corner;
    if (y1 === y2) continue;
    const first = Math.max(0, Math.floor((Math.min(y1, y2) - top) * scale) - 1);
    const last = Math.min(SLABS - 1, Math.floor((Math.max(y1, y2) - top) * scale) + 1);
    for (let slab = first; slab <= last; slab++) slabs[slab].push(x1, y1, x2, y2);
  }
  return slabs.map((edges) => Float64Array.from(edges));
}

/** Returns a polygon with fewer corners that is nowhere farther than `tolerance` from the drawn one. */
export function simplify(polygon: Polygon, tolerance: number): Polygon {
  if (polygon.length <= 4) return polygon;
  const keep = new Uint8Array(polygon.length);
  keep[0] = keep[polygon.length - 1] = 1;
  const pending: [number, number][] = [[0, polygon.length - 1]];
  while (pending.length) {
    const [start, end] = pending.pop()!;
    let farthest = -1;
    let distance = tolerance;
    for (let place = start + 1; place < end; place++) {
      const away = distanceToLine(polygon[place], polygon[start], polygon[end]);
      if (away > distance) {
        distance = away;
        farthest = place;
      }
    }
    if (farthest > 0) {
      keep[farthest] = 1;
      pending.push([start, farthest], [farthest, end]);
    }
  }
  const kept = polygon.filter((_, place) => keep[place]);
  return kept.length >= 3 ? kept : polygon;
}

const TOLERANCE_PX = 0.75;
const MAX_CORNERS = 120;

/** A drawn polygon as the address has it; `scale` is how much of the data one pixel is. */
export function roundPolygon(drawn: Polygon, scale: number): Polygon {
  let tolerance = TOLERANCE_PX * scale;
  let polygon = simplify(drawn, tolerance);
  while (polygon.length > MAX_CORNERS) polygon = simplify(drawn, (tolerance *= 1.5));
  const digits = Math.max(0, Math.min(12, 2 - Math.floor(Math.log10(scale))));
  return polygon.map(([x, y]) => [Number(x.toFixed(digits)), Number(y.toFixed(digits))] as const);
}

function distanceToLine(
  [x, y]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): number {
  const dx = x2 - x1;
  const dy = y2 - y1;
  const length = Math.hypot(dx, dy);
  if (length === 0) return Math.hypot(x - x1, y - y1);
  return Math.abs(dy * (x - x1) - dx * (y - y1)) / length;
}
