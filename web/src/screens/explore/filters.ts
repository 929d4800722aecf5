/** What the server is asked for: the filters of the address and the lasso. */

import type { SampleFilter } from '../../api/columns';
import { readSearch, type ExploreView } from '../../lib/exploreUrl';
import { listParts } from '../../lib/viewParts';
import type { Question } from './metadata.svelte';
import type { SampleMap } from './sampleMap.svelte';

const PLAIN = { isNegated: false, isRegex: false, isCaseSensitive: false };

/** `map` says on which map the lasso was drawn. */
export function makeFilters(
  view: ExploreView,
  map: { embeddingId: string; embedding2dId: string } | null,
): SampleFilter[] {
  const { filters, text, not, lasso } = view;
  const made: SampleFilter[] = filters.map((filter) => {
    const common = { ...PLAIN, key: filter.key, isNegated: filter.isNegated };
    if (filter.kind === 'values') return { ...common, kind: 'values', values: filter.values };
    const range: SampleFilter = { ...common, kind: 'range' };
    if (filter.min !== null) range.min = filter.min;
    if (filter.max !== null) range.max = filter.max;
    return range;
  });
  if (text)
    made.push({ ...PLAIN, kind: 'name', ...readSearch(text), isNegated: not.includes('name') });
  if (lasso && map) {
    const polygon = lasso.map(([x, y]) => [x, y]);
    made.push({ ...PLAIN, kind: 'polygon', ...map, polygon, isNegated: not.includes('lasso') });
  }
  return made;
}

/** All that the server is asked at once; `map` is where the lasso was drawn. */
export function makeQuestion(
  view: ExploreView,
  { embedding, projection }: Pick<SampleMap, 'embedding' | 'projection'>,
  tagId: string | null,
): Question {
  const map =
    embedding && projection ? { embeddingId: embedding.id, embedding2dId: projection.id } : null;
  return {
    filters: makeFilters(view, map),
    tagId,
    isTagNegated: view.not.includes('tag'),
    parts: listParts(view),
    name: nameFilters(view),
    hasLasso: view.lasso !== null,
  };
}

/** What the filters other than the lasso are, as text. */
export function nameFilters({ filters, text, tag, not }: ExploreView): string {
  return JSON.stringify([filters, text, tag, not.filter((part) => part !== 'lasso')]);
}
