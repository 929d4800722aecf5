/** What the server is asked for: the filters of the address and the lasso. */

import type { SampleFilter } from '../../api/columns';
import { readSearch, type ExploreView } from '../../lib/exploreUrl';

const PLAIN = { isNegated: false, isRegex: false, isCaseSensitive: false };

/** `map` says on which map the lasso was drawn. */
export function makeFilters(
  view: ExploreView,
  map: { embeddingId: string; embedding2dId: string } | null,
): SampleFilter[] {
  const { filters, text, lasso } = view;
  const made: SampleFilter[] = filters.map((filter) => {
    const common = { ...PLAIN, key: filter.key, isNegated: filter.isNegated };
    if (filter.kind === 'values') return { ...common, kind: 'values', values: filter.values };
    const range: SampleFilter = { ...common, kind: 'range' };
    if (filter.min !== null) range.min = filter.min;
    if (filter.max !== null) range.max = filter.max;
    return range;
  });
  if (text) made.push({ ...PLAIN, kind: 'name', ...readSearch(text) });
  if (lasso && map) {
    const polygon = lasso.map(([x, y]) => [x, y]);
    made.push({ ...PLAIN, kind: 'polygon', ...map, polygon });
  }
  return made;
}

/** What the filters other than the lasso are, as text. */
export function nameFilters({ filters, text, tag }: ExploreView): string {
  return JSON.stringify([filters, text, tag]);
}
