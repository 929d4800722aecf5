/** What rules would do, counted before anything runs. */

import type { ColumnInfo, SampleFilter } from '../../api/columns';
import { Bitset } from '../bitset';
import type { Operation, Rule } from './rules';
import type { Amount } from './view';

/** The next larger number that a computer knows. */
export function nextUp(value: number): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

export const nextDown = (value: number): number => -nextUp(-value);

/** A threshold on metadata as a filter; ends of filters are included. */
export function makeFilter(rule: Rule): SampleFilter | null {
  if (rule.kind !== 'threshold' || rule.source !== 'metadata') return null;
  if (!rule.key || rule.value === null) return null;
  const filter: SampleFilter = {
    kind: 'range',
    key: rule.key,
    isRegex: false,
    isCaseSensitive: false,
    isNegated: false,
  };
  const { value, operation } = rule;
  if (operation === 'BIGGER') filter.min = nextUp(value);
  if (operation === 'BIGGER_EQUAL') filter.min = value;
  if (operation === 'SMALLER') filter.max = nextDown(value);
  if (operation === 'SMALLER_EQUAL') filter.max = value;
  return filter;
}

/** Samples whose number is on the wanted side; those without one are not. */
export function findKept(values: Float32Array, operation: Operation, threshold: number): Bitset {
  const kept = new Bitset(values.length);
  // Scores come as float32: the threshold is rounded as they are.
  const limit = Math.fround(threshold);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const isKept =
      (operation === 'BIGGER' && value > limit) ||
      (operation === 'BIGGER_EQUAL' && value >= limit) ||
      (operation === 'SMALLER' && value < limit) ||
      (operation === 'SMALLER_EQUAL' && value <= limit);
    if (isKept) kept.add(index);
  }
  return kept;
}

export interface Loss {
  key: string;
  name: string;
  total: number;
  dropped: number;
  share: number;
}

/** Classes smaller than this are chance. */
const SMALLEST_CLASS = 5;

/**
 * The classes that lose the largest share, those that lose more than the whole does.
 *
 * @param all Samples per category, by key, of all that are chosen from.
 * @param kept The same of those that a rule keeps.
 */
export function findLosses(
  columns: readonly ColumnInfo[],
  all: Record<string, number[]>,
  kept: Record<string, number[]>,
  overallShare: number,
  most = 3,
): Loss[] {
  const losses: Loss[] = [];
  for (const { key, kind, categories } of columns) {
    if (kind !== 'category' || !all[key] || !kept[key]) continue;
    (categories ?? []).forEach(({ name }, place) => {
      const total = all[key][place] ?? 0;
      const dropped = total - (kept[key][place] ?? 0);
      const share = total ? dropped / total : 0;
      if (total >= SMALLEST_CLASS && dropped > 0 && share > overallShare)
        losses.push({ key, name, total, dropped, share });
    });
  }
  return losses.sort((a, b) => b.share - a.share || b.dropped - a.dropped).slice(0, most);
}

export interface MixRow {
  name: string;
  /** Of the samples that are chosen from. */
  have: number;
  haveShare: number;
  /** What the rule aims at; null for classes that it does not name. */
  wantShare: number | null;
  /** Whether there are too few samples for as many as the rule aims at. */
  isShort: boolean;
}

/** The mix of classes that there is next to the one that a rule aims at. */
export function makeMix(
  names: readonly string[],
  counts: readonly number[],
  rule: Rule,
  nWanted: number | null,
): MixRow[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const occurring = counts.filter((count) => count > 0).length;
  const targetSum = Object.values(rule.target).reduce((sum, share) => sum + share, 0);
  const rows = names.map((name, place) => {
    const have = counts[place] ?? 0;
    let wantShare: number | null = null;
    if (rule.distribution === 'UNIFORM') wantShare = have ? 1 / occurring : null;
    if (rule.distribution === 'INPUT') wantShare = total ? have / total : null;
    if (rule.distribution === 'TARGET' && Object.hasOwn(rule.target, name))
      // Shares that sum to less than one leave the rest to all other classes.
      wantShare = rule.target[name] / Math.max(1, targetSum);
    const isShort =
      wantShare !== null && nWanted !== null && Math.floor(wantShare * nWanted) > have;
    return { name, have, haveShare: total ? have / total : 0, wantShare, isShort };
  });
  return rows.filter((row) => row.have > 0 || row.wantShare !== null);
}

/** How many new samples an amount comes to; null for no limit. Exact, as the server counts. */
export function countWanted(amount: Amount, nCandidates: number): number | null {
  if (amount.kind === 'all') return null;
  if (amount.kind === 'count') return amount.value;
  if (amount.value === 0 || nCandidates === 0) return 0;
  const millionths = BigInt(Math.round(amount.value * 1e6));
  return Math.max(1, Number((millionths * BigInt(nCandidates)) / 1_000_000n));
}
