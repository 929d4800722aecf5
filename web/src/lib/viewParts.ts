/** The parts of a question that chips stand for: tag, filters, name and lasso. */

import type { ExploreView, Filter, Negatable } from './exploreUrl';
import { formatNumber } from './format';
import { nameColumn } from './columnNames';

/** The filter on a key, or one of the parts that there are once. */
export type PartName = `f:${string}` | Negatable;

/** How many samples meet a part alone, and how many would be found without it. */
export interface PartCounts {
  alone: number;
  without: number;
}

export const nameFilterPart = (key: string): PartName => `f:${key}`;

/** The parts that are filters, in the order in which the server is asked. */
export function listParts({ filters, text, lasso }: ExploreView): PartName[] {
  return [
    ...filters.map((filter) => nameFilterPart(filter.key)),
    ...(text ? (['name'] as const) : []),
    ...(lasso ? (['lasso'] as const) : []),
  ];
}

/** The part without which most would be found; null where that changes nothing. */
export function findHiding(
  counts: ReadonlyMap<PartName, PartCounts>,
  found: number,
): [PartName, PartCounts] | null {
  let most: [PartName, PartCounts] | null = null;
  for (const [name, one] of counts) {
    if (one.without > (most?.[1].without ?? found)) most = [name, one];
  }
  return most;
}

/** Filters with another one on a key, or none. */
export function withFilter(view: ExploreView, filter: Filter | null, key: string): Filter[] {
  const others = view.filters.filter((one) => one.key !== key);
  return filter ? [...others, filter] : others;
}

/** What changes when a part is taken away. */
export function withoutPart(view: ExploreView, name: PartName): Partial<ExploreView> {
  if (name.startsWith('f:')) return { filters: withFilter(view, null, name.slice(2)) };
  if (name === 'tag') return withTag(view, null);
  const not = view.not.filter((part) => part !== name);
  return name === 'name' ? { text: '', not } : { lasso: null, not };
}

/** What changes when all filters are taken away, but for the tag. */
export function withoutFilters({ not }: ExploreView): Partial<ExploreView> {
  return { filters: [], text: '', lasso: null, not: not.filter((part) => part === 'tag') };
}

/** What changes with another tag: what was shown of this one goes. */
export function withTag(view: ExploreView, tagId: string | null): Partial<ExploreView> {
  const not = view.not.filter((part) => part !== 'tag');
  return { tag: tagId, not, picks: null, compare: tagId ? view.compare : null };
}

/** What changes when all others are asked for instead. */
export function flipPart(view: ExploreView, name: PartName): Partial<ExploreView> {
  if (name.startsWith('f:')) {
    const filters = view.filters.map((one) =>
      nameFilterPart(one.key) === name ? { ...one, isNegated: !one.isNegated } : one,
    );
    return { filters };
  }
  const part = name as Negatable;
  const isNegated = view.not.includes(part);
  const not = isNegated ? view.not.filter((one) => one !== part) : [...view.not, part];
  // Picks are those of the tag itself.
  return part === 'tag' ? { not, picks: null } : { not };
}

const SHOWN_VALUES = 3;

/** A filter in words, whether it is negated or not. */
export function describeFilter(filter: Filter): string {
  const name = nameColumn(filter.key);
  if (filter.kind === 'values') {
    const shown = filter.values.slice(0, SHOWN_VALUES).join(', ');
    const rest = filter.values.length - SHOWN_VALUES;
    return `${name}: ${shown}${rest > 0 ? ` +${rest}` : ''}`;
  }
  if (filter.min === null) return `${name} ≤ ${formatNumber(filter.max!)}`;
  if (filter.max === null) return `${name} ≥ ${formatNumber(filter.min)}`;
  return `${name}: ${formatNumber(filter.min)} – ${formatNumber(filter.max)}`;
}
