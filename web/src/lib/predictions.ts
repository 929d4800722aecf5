import type { components } from '../api/contract';
import { CATEGORY_COLORS, parseHex } from './palette';

export type Prediction = components['schemas']['PredictionSingleton'];

/** Colour of a category, the same in every picture. */
export function colorOf(categoryId: number): string {
  return CATEGORY_COLORS[
    ((categoryId % CATEGORY_COLORS.length) + CATEGORY_COLORS.length) % CATEGORY_COLORS.length
  ];
}

/**
 * Paints a mask into pixels.
 *
 * Runs are lengths of equal pixels, row by row, beginning with the number of those outside.
 */
export function paintMask(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  runs: readonly number[],
  color: string,
  alpha: number,
): void {
  const [red, green, blue] = parseHex(color);
  const end = width * height;
  let place = 0;
  let isIn = false;
  for (const length of runs) {
    const stop = Math.min(end, place + length);
    if (isIn) {
      for (let at = place; at < stop; at++) {
        const byte = at * 4;
        pixels[byte] = red;
        pixels[byte + 1] = green;
        pixels[byte + 2] = blue;
        pixels[byte + 3] = alpha;
      }
    }
    place = stop;
    isIn = !isIn;
  }
}

export interface Keypoint {
  x: number;
  y: number;
  confidence: number;
}

/** Points of a flat list of x, y and confidence. */
export function readKeypoints(flat: readonly number[]): Keypoint[] {
  const points: Keypoint[] = [];
  for (let place = 0; place + 2 < flat.length; place += 3) {
    points.push({ x: flat[place], y: flat[place + 1], confidence: flat[place + 2] });
  }
  return points;
}

/** Values of nested objects as rows of names with dots between them. */
export function flatten(value: unknown, prefix = ''): [string, string][] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [[prefix, String(value)]];
  if (Array.isArray(value)) return [[prefix, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([name, inner]) =>
    flatten(inner, prefix ? `${prefix}.${name}` : name),
  );
}
