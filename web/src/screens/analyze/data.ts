/** Questions that several analyses ask. */

import {
  queryColumns,
  type ColumnInfo,
  type SampleFilter,
  type TagSummary,
} from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import type { Filter } from '../../lib/exploreUrl';

export const INITIAL_TAG = 'initial-tag';
/** As many as the server answers at once. */
const MAX_HISTOGRAMS = 100;

export interface Distribution {
  bits: Bitset;
  count: number;
  histograms: Record<string, number[]>;
}

/** Columns that say something: what all samples share tells nothing. */
export function listShown(columns: readonly ColumnInfo[], nSamples: number): ColumnInfo[] {
  const isMeasured = (info: ColumnInfo) => Number(info.key.startsWith('lightly.'));
  return columns
    .filter((info) => {
      if (info.kind === 'text') return false;
      if (info.kind === 'number') return info.min !== info.max;
      return (info.categories?.length ?? 0) > 1 || info.nPresent < nSamples;
    })
    .toSorted((a, b) => isMeasured(a) - isMeasured(b))
    .slice(0, MAX_HISTOGRAMS);
}

function writeFilter(filter: Filter): SampleFilter {
  const common = {
    key: filter.key,
    isNegated: filter.isNegated,
    isRegex: false,
    isCaseSensitive: false,
  };
  if (filter.kind === 'values') return { ...common, kind: 'values', values: filter.values };
  const range: SampleFilter = { ...common, kind: 'range' };
  if (filter.min !== null) range.min = filter.min;
  if (filter.max !== null) range.max = filter.max;
  return range;
}

export async function askDistribution(
  datasetId: string,
  tag: TagSummary,
  filters: readonly Filter[],
  columns: readonly ColumnInfo[],
  signal: AbortSignal,
): Promise<Distribution> {
  const found = await queryColumns(
    datasetId,
    {
      filters: filters.map(writeFilter),
      tagId: tag.name === INITIAL_TAG ? null : tag.id,
      histograms: columns.map((info) => info.key),
    },
    signal,
  );
  return {
    bits: new Bitset(found.count, found.values as Uint8Array),
    count: found.tail.count,
    histograms: found.tail.histograms,
  };
}
