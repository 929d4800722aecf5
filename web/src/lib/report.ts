/** Drawing what a report of a run says. */

import type { components } from '../api/contract';
import type { components as ExtensionComponents } from '../api/extension';

export type Report = components['schemas']['ReportV2'];
export type Distribution = components['schemas']['NumericDistributionPerSet'];
export type Categories = components['schemas']['CategoricalDistributionPerSet'];
export type TaskReport = components['schemas']['PredictionTaskInformation'];
export type Balance = ExtensionComponents['schemas']['RunBalance'];
/** What a selection of a run says of itself, beside its report; older workers say less. */
export interface RunSelection {
  balances?: Balance[];
  coverage?: Pick<ExtensionComponents['schemas']['SelectionCoverage'], 'counts' | 'radius'> | null;
}
export type BoxExample = components['schemas']['DetectionFramePrediction'];
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

/**
 * Categories with their share in each set, the most frequent of the input first.
 *
 * `wholes` is what they are shares of; without it all that was counted in a set.
 */
export function listShares(
  categories: Categories,
  limit: number,
  wholes?: Record<SetName, number>,
): { name: string; shares: Record<SetName, number> }[] {
  const totals = wholes ?? countAll(categories);
  const names = [...new Set(SETS.flatMap((set) => Object.keys(categories[set].counts ?? {})))];
  return names
    .map((name) => ({
      name,
      shares: perSet((set) => (categories[set].counts?.[name] ?? 0) / (totals[set] || 1)),
    }))
    .sort((a, b) => b.shares.input - a.shares.input || a.name.localeCompare(b.name))
    .slice(0, limit);
}

/** Whether there are different values: what all images share tells nothing. */
export const isTelling = ({ range }: Distribution): boolean => range[0] !== range[1];

/** How much was counted in each set. */
export function countAll(categories: Categories): Record<SetName, number> {
  return perSet((set) => sum(Object.values(categories[set].counts ?? {})));
}

/** How many images each set has; null where the task knows no class to count by. */
export function countImages(task: TaskReport): Record<SetName, number> | null {
  const [counts] = Object.values(task.categoryToCountsPerSample);
  return counts ? perSet((set) => sum(counts[set]?.counts ?? [])) : null;
}

/** The largest difference between what was aimed at and what was reached, as a share. */
export function findFarthest({ classes }: Balance): number {
  return Math.max(0, ...classes.map(({ target, selected }) => Math.abs(selected - target)));
}

const perSet = (tell: (set: SetName) => number) =>
  Object.fromEntries(SETS.map((set) => [set, tell(set)])) as Record<SetName, number>;
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const round = (value: number) => Math.round(value * 100) / 100;
