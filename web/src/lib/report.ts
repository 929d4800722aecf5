/** Drawing what a report of a run says. */

import type { components } from '../api/contract';

export type Report = components['schemas']['ReportV2'];
export type Distribution = components['schemas']['NumericDistributionPerSet'];
export type Categories = components['schemas']['CategoricalDistributionPerSet'];
export const SETS = ['input', 'selected', 'random'] as const;
export type SetName = (typeof SETS)[number];

/** Steps of a histogram as an SVG path: shares of the set, so that sets of any size compare. */
export function drawSteps(
  counts: readonly number[],
  peak: number,
  width: number,
  height: number,
): string {
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  const step = width / (counts.length || 1);
  const parts = [`M0 ${height}`];
  counts.forEach((count, place) => {
    const y = round(height - (count / total / (peak || 1)) * height);
    parts.push(`L${round(place * step)} ${y}L${round((place + 1) * step)} ${y}`);
  });
  return `${parts.join('')}L${width} ${height}Z`;
}

/** The highest share of any bar in any set. */
export function findPeak(distribution: Distribution): number {
  let peak = 0;
  for (const name of SETS) {
    const counts = distribution[name]?.counts ?? [];
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    for (const count of counts) peak = Math.max(peak, count / total);
  }
  return peak;
}

/** Points as an SVG path of lines without length, which round caps make dots of. */
export function drawDots(
  points: readonly (readonly number[])[],
  frame: { left: number; top: number; scale: number },
): string {
  return points
    .map(
      ([x, y]) =>
        `M${round((x - frame.left) * frame.scale)} ${round((frame.top - y) * frame.scale)}h0`,
    )
    .join('');
}

/** What makes all points fit into a square, with a margin. */
export function fitFrame(
  points: readonly (readonly number[])[],
  size: number,
): { left: number; top: number; scale: number } {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    bottom = Math.min(bottom, y);
    top = Math.max(top, y);
  }
  const span = Math.max(right - left, top - bottom) || 1;
  const margin = span * 0.04;
  const spareX = (span - (right - left)) / 2;
  const spareY = (span - (top - bottom)) / 2;
  return {
    left: left - spareX - margin,
    top: top + spareY + margin,
    scale: size / (span + 2 * margin),
  };
}

/** Categories with their share in each set, the most frequent of the input first. */
export function listShares(
  categories: Categories,
  limit: number,
): { name: string; shares: Record<SetName, number> }[] {
  const totals = Object.fromEntries(
    SETS.map((name) => [name, sum(Object.values(categories[name].counts ?? {})) || 1]),
  );
  const names = [...new Set(SETS.flatMap((set) => Object.keys(categories[set].counts ?? {})))];
  return names
    .map((name) => ({
      name,
      shares: Object.fromEntries(
        SETS.map((set) => [set, (categories[set].counts?.[name] ?? 0) / totals[set]]),
      ) as Record<SetName, number>,
    }))
    .sort((a, b) => b.shares.input - a.shares.input || a.name.localeCompare(b.name))
    .slice(0, limit);
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const round = (value: number) => Math.round(value * 100) / 100;
