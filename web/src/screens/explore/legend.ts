/** Going through the classes of the legend. */

import type { ExploreView, Filter } from '../../lib/exploreUrl';
import { withFilter } from '../../lib/viewParts';
import type { Coloring, LegendEntry } from './coloring';

/** What shows one class only: the next of the legend, all of them after the last. */
export function stepClass(
  legend: Coloring['legend'],
  view: ExploreView,
  by: 1 | -1,
): Partial<ExploreView> {
  if (legend.kind !== 'category' || !legend.entries.length) return {};
  const { key, entries } = legend;
  const shown = view.filters.find((filter) => filter.key === key);
  const place = entries.findIndex((entry) => shown && isOnly(shown, entry));
  // One more place than there are classes: that of all of them.
  const next = place < 0 ? (by > 0 ? 0 : entries.length - 1) : place + by;
  const entry = entries[next];
  const filter: Filter | null = entry
    ? { kind: 'values', key, values: entry.values, isNegated: false }
    : null;
  return { filters: withFilter(view, filter, key) };
}

function isOnly(filter: Filter, entry: LegendEntry): boolean {
  if (filter.kind !== 'values' || filter.isNegated) return false;
  return filter.values.join('\n') === entry.values.join('\n');
}
